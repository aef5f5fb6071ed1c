// WebSockets of the package ws under a real server, with its client.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'

import { VerifyError } from 'pomerium-jwt'
import { TestIssuer } from 'pomerium-jwt/testing'
import { protectUpgrade, TOKEN_EXPIRED } from 'pomerium-jwt/ws'
import { Server as SocketServer } from 'socket.io'
import { WebSocket, WebSocketServer } from 'ws'

import { HEADER, Issuer } from './servers.mjs'

const issuer = new TestIssuer()

/** A server whose WebSockets say who opened them and then repeat what they hear. */
async function serve(context, options) {
  const server = createServer((request, response) => request.url === '/slow' || response.end('no upgrade'))
  const webSockets = new WebSocketServer({ noServer: true })
  const { verifier } = protectUpgrade(server, webSockets, { ...issuer.options, onRefused() {}, ...options })
  webSockets.on('connection', (webSocket, request) => {
    webSocket.send(request.pomerium?.subject ?? 'nobody')
    webSocket.on('message', (data) => webSocket.send(String(data)))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    for (const client of webSockets.clients) client.terminate()
    server.closeAllConnections()
    server.close()
  })
  return { port: server.address().port, server, webSockets, verifier }
}

/** Opens a WebSocket: with its first message, or with the response that refuses it. */
async function open(port, headers, target = '/') {
  const client = new WebSocket(`ws://127.0.0.1:${port}${target}`, { headers })
  const refused = once(client, 'unexpected-response').then(async ([, response]) => {
    const body = Buffer.concat(await response.toArray()).toString()
    return { status: response.statusCode, headers: response.headers, body }
  })
  const closed = new Promise((resolve) => client.once('close', (code, reason) => resolve([code, String(reason)])))
  const opened = once(client, 'message').then(([data]) => ({ status: 101, body: String(data), client, closed }))
  // The one that does not happen ends with an error
  return Promise.any([refused, opened])
}

test('who gets in', async (context) => {
  const good = issuer.token({ groups: ['staff'] })
  const refused = (code) => JSON.stringify({ error: code })
  const table = [
    [{}, good, 101, 'alice'],
    [{}, undefined, 401, refused('token_missing')],
    [{}, '', 401, refused('token_missing')],
    [{}, 'nonsense', 401, refused('token_malformed')],
    [{}, [good, good], 401, refused('token_repeated')],
    [{}, issuer.expired(), 401, refused('token_expired')],
    [{}, issuer.wrongAudience(), 401, refused('audience_mismatch')],
    [{ requireGroup: 'admins' }, good, 403, refused('group_required')],
    [{ requireGroup: 'staff' }, good, 101, 'alice'],
    [{ optional: true }, undefined, 101, 'nobody'],
    [{ optional: true }, issuer.expired(), 401, refused('token_expired')],
    [{ exemptPaths: ['/open', '/socket/*'] }, undefined, 401, refused('token_missing'), '/open?x=1'],
    [{ exemptPaths: ['/open', '/socket/*'] }, undefined, 401, refused('token_missing'), '/socket/a'],
    [{ exemptPaths: ['/open', '/socket/*'] }, 'nonsense', 401, refused('token_malformed'), '/socket/a'],
    [{ exemptPaths: ['/open'] }, good, 101, 'alice', '/open'],
    [{}, undefined, 401, refused('token_missing'), `/?jwt=${good}`],
  ]
  for (const [options, token, status, body, target] of table) {
    const { port, webSockets } = await serve(context, options)
    const answer = await open(port, token === undefined ? {} : { [HEADER]: token }, target)
    assert.deepEqual([answer.status, answer.body], [status, body], `${target} with ${JSON.stringify(options)}`)
    assert.equal(webSockets.clients.size, status === 101 ? 1 : 0)
    answer.client?.terminate()
  }
})

test('a refusal is a whole response, and the end of its connection', async (context) => {
  const { port } = await serve(context, {
    errorHandler: ({ code }) => ({ contentType: 'text/plain; charset=utf-8', body: `${code} ü` }),
  })
  const socket = connect(port, '127.0.0.1')
  socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  const [head, body] = Buffer.concat(await socket.toArray())
    .toString()
    .split('\r\n\r\n')
  assert.match(head, /^HTTP\/1\.1 401 Unauthorized\r\n/)
  assert.match(head, /\r\nConnection: close(\r\n|$)/)
  assert.match(head, /\r\nContent-Length: 16(\r\n|$)/)
  assert.equal(body, 'token_missing ü')
})

test('a refusal after a response that is still being sent ends the connection, and nothing else', async (context) => {
  const { port } = await serve(context)
  const upgrade = ['Host: x', 'Connection: Upgrade', 'Upgrade: websocket', '', ''].join('\r\n')
  const socket = connect(port, '127.0.0.1').on('error', () => {})
  socket.write(`GET /slow HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\n${upgrade}`)
  const heard = Buffer.concat(await socket.toArray().catch(() => [])).toString()
  assert(!heard.includes('101'), heard)
  assert.equal((await open(port, issuer.headers())).body, 'alice', 'the process lives')
})

test('upgrades with any method', async (context) => {
  const server = createServer()
  const taken = []
  // ws itself would refuse the method
  const webSockets = { options: { noServer: true }, handleUpgrade: (request) => taken.push(request), emit() {} }
  protectUpgrade(server, webSockets, { ...issuer.options, onRefused() {} })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => server.close())
  const socket = connect(server.address().port, '127.0.0.1')
  const lines = ['OPTIONS / HTTP/1.1', 'Host: x', 'Connection: Upgrade', 'Upgrade: websocket']
  socket.write([...lines, 'Access-Control-Request-Method: GET', '', ''].join('\r\n'))
  assert.match(Buffer.concat(await socket.toArray()).toString(), /^HTTP\/1\.1 401 /)
  assert.deepEqual(taken, [])
})

test('no keys are 503 with Retry-After', async (context) => {
  const { port } = await serve(context, { route: 'http://127.0.0.1:9', jwks: undefined })
  const { status, headers, body } = await open(port, issuer.headers())
  assert.deepEqual([status, body], [503, '{"error":"keys_unavailable"}'])
  assert(Number(headers['retry-after']) >= 1)
})

test('a hook that fails lets nobody in', async (context) => {
  const log = context.mock.method(console, 'error', () => {})
  const fault = new Error('a fault of the hook')
  const { port } = await serve(context, {
    onRefused() {
      throw fault
    },
  })
  assert.equal((await open(port, {})).status, 500)
  assert.deepEqual(log.mock.calls[0].arguments, [fault])
})

test('messages that come with the handshake are not lost', async (context) => {
  const { port } = await serve(context)
  const key = Buffer.alloc(16).toString('base64')
  const socket = connect(port, '127.0.0.1')
  const masked = Buffer.from([0x81, 0x82, 0, 0, 0, 0, ...Buffer.from('hi')])
  const lines = ['GET / HTTP/1.1', 'Host: x', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13']
  const handshake = [...lines, `Sec-WebSocket-Key: ${key}`, `${HEADER}: ${issuer.token()}`, '', ''].join('\r\n')
  socket.write(Buffer.concat([Buffer.from(handshake), masked]))
  let heard = ''
  for await (const chunk of socket) {
    heard += chunk.toString('latin1')
    if (heard.endsWith('\x81\x05alice\x81\x02hi')) break
  }
  assert.match(heard, /^HTTP\/1\.1 101 /)
})

test('a client that leaves while keys are fetched disturbs nobody', async (context) => {
  const issuer = await Issuer.start()
  context.after(() => issuer.close())
  const token = await issuer.mint()
  const { port, verifier } = await serve(context, { route: issuer.url, jwks: undefined, timeout: 1 })
  await issuer.post('/fault?kind=hang')
  const lines = [
    'GET / HTTP/1.1',
    'Host: x',
    'Connection: Upgrade',
    'Upgrade: websocket',
    `${HEADER}: ${token}`,
    '',
    '',
  ]
  const sockets = Array.from({ length: 20 }, () => connect(port, '127.0.0.1').on('error', () => {}))
  for (const socket of sockets) socket.write(lines.join('\r\n'))
  while (verifier.status().fetches === 0) await setTimeout(10)
  for (const socket of sockets) socket.resetAndDestroy()
  while (verifier.status().fetchFailures === 0) await setTimeout(10)

  await issuer.post('/fault?kind=none')
  let answer
  do {
    await setTimeout(100)
    answer = await open(port, { [HEADER]: token })
  } while (answer.status === 503)
  assert.equal(answer.body, 'alice')
})

test('closeAtExpiry closes when the token expires, and nothing else does', async (context) => {
  const warnings = []
  const warned = (warning) => warnings.push(warning.name)
  process.on('warning', warned)
  context.after(() => process.off('warning', warned))
  const [closing, staying] = [await serve(context, { closeAtExpiry: true }), await serve(context)]
  const headers = () => issuer.headers({ expiresIn: 2 })
  const [short, stayed] = await Promise.all([open(closing.port, headers()), open(staying.port, headers())])
  const long = await open(closing.port, issuer.headers({ exp: 2 ** 40 }))
  assert.deepEqual(await short.closed, [TOKEN_EXPIRED, 'token_expired'])
  for (const { client, closed } of [stayed, long]) {
    const heard = once(client, 'message').then(([data]) => String(data))
    client.send('still here')
    assert.equal(await Promise.race([heard, closed]), 'still here')
  }
  assert.deepEqual(warnings, [], 'no timer is longer than a timer can be')
})

test('closeAtExpiry: a token that leeway alone let in closes at once', async (context) => {
  const { port } = await serve(context, { closeAtExpiry: true })
  const { closed } = await open(port, issuer.headers({ expiresIn: -10 }))
  assert.deepEqual(await closed, [TOKEN_EXPIRED, 'token_expired'])
})

test('closeAtExpiry: a client that never answers is not heard any more, and its connection ends', async (context) => {
  const { port, webSockets } = await serve(context, { closeAtExpiry: true })
  const heard = []
  webSockets.on('connection', (webSocket) => {
    for (const event of ['message', 'ping', 'pong']) webSocket.on(event, () => heard.push(event))
  })
  context.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: Date.now() })
  const client = connect(port, '127.0.0.1').on('error', () => {})
  const key = Buffer.alloc(16).toString('base64')
  const lines = ['GET / HTTP/1.1', 'Host: x', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13']
  client.write([...lines, `Sec-WebSocket-Key: ${key}`, `${HEADER}: ${issuer.token()}`, '', ''].join('\r\n'))
  let answer = ''
  client.on('data', (chunk) => (answer += chunk.toString('latin1')))
  const until = async (holds) => {
    while (!holds()) await new Promise((resolve) => setImmediate(resolve))
  }
  // A message, a ping and a pong, masked with zeros
  const frames = Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x61, 0x89, 0x80, 0, 0, 0, 0, 0x8a, 0x80, 0, 0, 0, 0])
  client.write(frames)
  await until(() => heard.length === 3)

  const [webSocket] = webSockets.clients
  context.mock.timers.tick(300_000)
  const received = webSocket._socket.bytesRead
  client.write(frames)
  await until(() => answer.includes('token_expired') && webSocket._socket.bytesRead === received + frames.length)
  assert.deepEqual(heard, ['message', 'ping', 'pong'])
  const ended = once(client, 'close')
  context.mock.timers.tick(1000)
  await ended
  assert.equal(webSockets.clients.size, 0)
})

test('a wrong configuration stops the start', () => {
  const [server, webSockets] = [createServer(), new WebSocketServer({ noServer: true })]
  const table = [
    [webSockets, { ...issuer.options, closeAtExpiry: 1 }, /closeAtExpiry takes true or false/],
    [webSockets, { ...issuer.options, closeAtexpiry: true }, /closeAtexpiry/],
    [webSockets, Object.create({ closeAtExpiry: true }), /write an object literal/],
    [webSockets, {}, /audience/],
    [new WebSocketServer({ server: createServer() }), issuer.options, /noServer: true/],
  ]
  for (const [webSockets, options, part] of table) {
    const isOurs = (error) => error instanceof VerifyError && part.test(error.message)
    assert.throws(() => protectUpgrade(server, webSockets, options), isOurs)
    assert.equal(server.listenerCount('upgrade'), 0)
  }
  server.on('upgrade', () => {})
  const isOurs = (error) =>
    error instanceof VerifyError && /already has another listener for upgrades/.test(error.message)
  assert.throws(() => protectUpgrade(server, webSockets, issuer.options), isOurs)
})

test('a listener for upgrades that is added later is refused, however it is added', async (context) => {
  const { port, server } = await serve(context)
  const taken = []
  const take = (request, socket) => socket.end(String(taken.push(request.url)))
  const isOurs = (error) => error instanceof VerifyError && /another listener for upgrades/.test(error.message)
  for (const add of ['on', 'once', 'addListener', 'prependListener', 'prependOnceListener']) {
    assert.throws(() => server[add]('upgrade', take), isOurs, add)
  }
  assert.throws(() => new WebSocketServer({ server }), isOurs)
  assert.throws(() => new SocketServer(server), isOurs)
  assert.throws(() => protectUpgrade(server, new WebSocketServer({ noServer: true }), issuer.options), isOurs)
  assert.equal(server.listenerCount('upgrade'), 1)
  assert.equal((await open(port, {})).status, 401)
  assert.equal((await open(port, issuer.headers())).body, 'alice')
  assert.deepEqual(taken, [])
})
