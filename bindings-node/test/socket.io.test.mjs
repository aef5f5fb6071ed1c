// Socket.IO on a server of Express: its engine answers its own requests, which no middleware of Express sees.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { test } from 'node:test'

import express from 'express'
import { pomerium } from 'pomerium-jwt/express'
import { protect } from 'pomerium-jwt/socket.io'
import { TestIssuer } from 'pomerium-jwt/testing'
import { Server } from 'socket.io'
import { io as connect } from 'socket.io-client'

import { ask, HEADER, listen } from './servers.mjs'

const issuer = new TestIssuer()

async function serve(context, options = {}) {
  const app = express()
  const server = createServer(app)
  const io = new Server(server)
  const { verifier } = protect(io, { ...issuer.options, exemptPaths: '/socket.io/', onRefused() {}, ...options })
  app.use(pomerium({ verifier, onRefused() {} }))
  const opened = []
  io.on('connection', (socket) => {
    opened.push(socket.request.pomerium?.subject ?? 'nobody')
    socket.emit('hello', socket.request.pomerium?.subject ?? 'nobody')
    socket.on('echo', (text, done) => done(text))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => io.close())
  return { port: server.address().port, opened }
}

/** The first message, or why there is none. */
async function hello(context, port, transports, headers, later) {
  const client = connect(`http://127.0.0.1:${port}`, { transports, extraHeaders: headers, reconnection: false })
  context.after(() => client.close())
  const refused = once(client, 'connect_error').then(([error]) => `refused: ${error.message}`)
  const said = await Promise.race([once(client, 'hello').then(([subject]) => subject), refused])
  if (later && !said.startsWith('refused')) return [said, await client.emitWithAck('echo', later)]
  return said
}

for (const transports of [['polling'], ['websocket'], ['polling', 'websocket']]) {
  test(`${transports.join(', then ')}: who gets in`, async (context) => {
    const { port, opened } = await serve(context, { exemptPaths: '/other' })
    assert.deepEqual(await hello(context, port, transports, issuer.headers(), 'x'), ['alice', 'x'])
    for (const headers of [{}, { [HEADER]: 'x' }, { [HEADER]: issuer.expired() }]) {
      assert.match(await hello(context, port, transports, headers), /^refused: /, JSON.stringify(headers))
    }
    assert.deepEqual(opened, ['alice'])
  })
}

test('a refused request of the polling transport is answered as any other', async (context) => {
  const { port } = await serve(context, { exemptPaths: '/other' })
  const { status, headers, body } = await ask(port, '/socket.io/?EIO=4&transport=polling')
  assert.deepEqual([status, body], [401, { error: 'token_missing' }])
  assert.equal(headers['cache-control'], 'no-store')
  assert.equal((await ask(port, '/socket.io/?EIO=4&transport=polling', issuer.headers())).status, 200)
})

test('each request of a session is verified, not only its first', async (context) => {
  const { port } = await serve(context, { exemptPaths: '/other' })
  const first = await ask(port, '/socket.io/?EIO=4&transport=polling', issuer.headers())
  const { sid } = JSON.parse(first.body.slice(1))
  assert.equal((await ask(port, `/socket.io/?EIO=4&transport=polling&sid=${sid}`, {}, 'POST')).status, 401)
})

test('nobody continues a session that somebody else has opened', async (context) => {
  const { port } = await serve(context, { exemptPaths: '/other', optional: true })
  const open = async (headers) =>
    JSON.parse((await ask(port, '/socket.io/?EIO=4&transport=polling', headers)).body.slice(1)).sid
  const bob = issuer.headers({ sub: 'bob' })
  const sessions = { alice: await open(issuer.headers()), nobody: await open({}) }
  const ofSession = (sid, headers) => ask(port, `/socket.io/?EIO=4&transport=polling&sid=${sid}`, headers, 'POST')
  for (const [opener, headers] of [
    ['alice', bob],
    ['alice', {}],
    ['nobody', bob],
  ]) {
    assert.equal((await ofSession(sessions[opener], headers)).status, 400, `${opener} ${JSON.stringify(headers)}`)
  }
})

test('a server that is attached later is covered too', async (context) => {
  const [first, second] = [createServer(), createServer()]
  const io = new Server(first)
  protect(io, { ...issuer.options, onRefused() {} })
  io.attach(second)
  context.after(() => (io.close(), first.close()))
  for (const server of [first, second]) {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { status } = await ask(server.address().port, '/socket.io/?EIO=4&transport=polling')
    assert.equal(status, 401)
  }
})

test('a WebSocket is not exempt, even if exemptPaths names its path', async (context) => {
  const { port, opened } = await serve(context)
  assert.match(await hello(context, port, ['websocket'], {}), /^refused: /)
  assert.deepEqual(opened, [])
})

test('closeAtExpiry ends the connection with its token', async (context) => {
  const { port } = await serve(context, { exemptPaths: '/other', leeway: 60, closeAtExpiry: true })
  for (const transports of [['websocket'], ['polling']]) {
    const headers = issuer.headers({ expiresIn: 1 })
    const client = connect(`http://127.0.0.1:${port}`, { transports, extraHeaders: headers, reconnection: false })
    context.after(() => client.close())
    await once(client, 'connect')
    assert.match((await once(client, 'disconnect'))[0], /^transport (close|error)$/)
  }
})

test('another namespace is covered too; wrong options, or no server yet, stop the start', async (context) => {
  const io = new Server()
  assert.throws(() => protect(io, issuer.options), { code: 'invalid_options', message: /after attach/ })
  const server = createServer()
  io.attach(server)
  assert.throws(() => protect(io, { ...issuer.options, closeAtExpiry: 'yes' }), { code: 'invalid_options' })
  protect(io, { ...issuer.options, onRefused() {} })
  io.of('/admin').on('connection', (socket) => socket.emit('hello', socket.request.pomerium.subject))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => io.close())
  const { port } = server.address()
  assert.match(await hello(context, `${port}/admin`, ['websocket'], {}), /^refused/)
  assert.equal(await hello(context, `${port}/admin`, ['websocket'], issuer.headers()), 'alice')
})

test('without it nothing of it would be verified: what the README warns of', async (context) => {
  const app = express().use(pomerium({ ...issuer.options, onRefused() {} }))
  const port = await listen(context, app)
  assert.equal((await ask(port, '/')).status, 401)
  const server = createServer(app)
  const io = new Server(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => io.close())
  assert.equal((await ask(server.address().port, '/')).status, 401)
  assert.equal((await ask(server.address().port, '/socket.io/?EIO=4&transport=polling')).status, 200)
})
