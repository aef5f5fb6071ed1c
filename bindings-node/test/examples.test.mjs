// The programs in examples/node, as strangers run them: in a project of their own, in which the packed package is
// installed, before a real `pomerium-jwt issuer`.

import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import http2 from 'node:http2'
import path from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'

import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { WebSocket } from 'ws'

import { ask, environment, HEADER, Issuer, PACKAGE, project, ROOT, run } from './servers.mjs'

const EXAMPLES = path.join(ROOT, 'examples', 'node')
const folder = installed()
const isOurs = (file) => !/node_modules|^next|package(-lock)?\.json/.test(path.relative(EXAMPLES, file))
cpSync(EXAMPLES, folder, { recursive: true, filter: isOurs })

/** A project with the packages as they are released, but for the profile. */
function installed() {
  const folder = project()
  const pack = [path.join(PACKAGE, 'scripts', 'package.mjs'), 'debug', path.join(folder, 'packed')]
  const packed = execFileSync(process.execPath, pack, { encoding: 'utf8' }).trim().split('\n')
  const options = ['--offline', '--no-audit', '--no-fund', '--no-package-lock', '--silent']
  execFileSync('npm', ['install', ...options, ...packed], { cwd: folder, stdio: 'inherit' })
  for (const name of [
    '@fastify',
    '@hono',
    '@koa',
    '@nestjs',
    '@modelcontextprotocol',
    'connect',
    'cors',
    'express',
    'express4',
    'fastify',
    'hono',
    'koa',
    'reflect-metadata',
    'rxjs',
    'tsx',
    'ws',
    'zod',
  ]) {
    symlinkSync(path.join(PACKAGE, 'node_modules', name), path.join(folder, 'node_modules', name))
  }
  return folder
}

/** The web application and its issuer. */
async function start(context, options = {}, file = 'app.mjs') {
  const issuer = await Issuer.start()
  context.after(() => issuer.close())
  const server = await run(context, path.join(folder, file), {
    POMERIUM_JWT_ROUTE: issuer.url,
    POMERIUM_JWT_EXEMPT_PATHS: '/health,/public/*',
    ...options,
  })
  assert(server.port, server.log)
  const get = (target, token, headers = {}, method = 'GET') =>
    ask(server.port, target, token === undefined ? headers : { ...headers, [HEADER]: token }, method)
  return { issuer, server, get }
}

const ROUTERS = ['app.mjs', 'express4.mjs', 'connect.mjs', 'koa.mjs', 'fastify.mjs', 'nest.mts']
const APPLICATIONS = [...ROUTERS, 'hono.mjs', 'http.mjs', 'ws.mjs', 'http2.mjs']
const ORIGIN = 'https://front.example.com'

describe('each application', { concurrency: 4 }, () => {
  for (const file of APPLICATIONS) {
    test(`${file}: who gets in`, async (context) => {
      const rewrite = { CORS_ORIGIN: ORIGIN, REWRITE: '/public/page=/admin' }
      const { issuer, server, get } = await start(context, rewrite, file)
      const staff = await issuer.mint({ email: 'alice@example.com', groups: 'staff' })
      const admin = await issuer.mint({ groups: 'admins,staff' })
      const identity = (token, different) => ({
        ...{ subject: 'alice', user: 'alice', email: null, name: null, groups: ['admins', 'staff'], session_id: null },
        ...{ issuer: '127.0.0.1', audience: ['127.0.0.1'], anonymous: false },
        ...facts(token),
        ...different,
      })
      const alice = identity(staff, { email: 'alice@example.com', groups: ['staff'] })
      const missing = [401, { error: 'token_missing' }]
      const reached = (subject) => [200, { reached: true, subject }]
      const health = { configured: true, asked: true, keys_loaded: true, stale: false }
      const table = [
        ['/', staff, 200, alice],
        ['/admin', admin, 200, identity(admin)],
        ['/admin', staff, 403, { error: 'group_required' }],
        ['/health', undefined, 200, health],
        ['/health?x=1', 'nonsense', 200, health],
        ['/', undefined, ...missing],
        ['/', [staff, staff], 401, { error: 'token_repeated' }],
        ['/', await issuer.mint({ expires_in: '-100' }), 401, { error: 'token_expired' }],
        ['/', await issuer.mint({ host: 'other.example.com' }), 401, { error: 'issuer_mismatch' }],
        ['/', await issuer.mint({ sub: '' }), 401, { error: 'subject_missing' }],
        ['/nowhere', undefined, ...missing],
        ['/nowhere', staff, ...reached('alice')],
        ['/public/a', undefined, ...reached(null)],
        ['/public/../admin', undefined, ...missing],
        ['/%68ealth', undefined, ...missing],
        ['/public/page', undefined, ...(ROUTERS.includes(file) ? missing : reached(null))],
        ['/', staff, ...reached('alice'), 'POST'],
        ['/health', undefined, ...reached(null), 'DELETE'],
      ]
      for (const [target, token, status, body, method] of table) {
        const answer = await get(target, token, {}, method)
        assert.deepEqual([answer.status, answer.body], [status, body], `${method} ${target} ${token}`)
        assert.match(answer.headers['content-type'], /^application\/json/)
      }
      const head = await get('/', undefined, {}, 'HEAD')
      assert.deepEqual([head.status, head.body], [401, ''])
      const preflight = { Origin: ORIGIN, 'Access-Control-Request-Method': 'DELETE' }
      const { status, headers } = await get('/nowhere', undefined, preflight, 'OPTIONS')
      const allowed = ['origin', 'methods', 'headers'].map((name) => headers[`access-control-allow-${name}`])
      assert.deepEqual([status, ...allowed], [204, ORIGIN, 'DELETE', 'Authorization'])
      const refused = await get('/', undefined, { Origin: ORIGIN })
      assert.deepEqual([refused.status, refused.headers['access-control-allow-origin']], [401, ORIGIN])
      const many = await issuer.mint({ groups: Array.from({ length: 2000 }, (_, n) => `group-of-users-${n}`).join() })
      assert.equal((await get('/nowhere', many)).status, 200, `a token of ${many.length} bytes`)
      for (const secret of [staff, admin, many]) assert(!server.log.includes(secret), 'the log holds no token')
      assert.match(server.log, /refused "\/": token_expired: the token expired/)
      assert.match(server.log, /^pomerium-jwt: accepts issuer and audience 127\.0\.0\.1 /m)
      assert.equal(server.output, `http://127.0.0.1:${server.port}\n`)
    })

    test(`${file}: a wrong configuration stops the start`, async (context) => {
      for (const [options, sentence] of [
        [{ POMERIUM_JWT_EXEMPT_PATHS: '/health' }, /audience is missing: set route/],
        [{ POMERIUM_JWT_REQUIRED_GROUPS: 'admins' }, /unknown: write POMERIUM_JWT_REQUIRE_GROUP/],
      ]) {
        const { port, log, exit } = await run(context, path.join(folder, file), options)
        assert.equal(port, undefined)
        assert.match(log, sentence)
        assert.notEqual(await exit, 0)
      }
    })
  }

  test('mcp.mjs: a tool says who calls it', async (context) => {
    const { issuer, server } = await start(context, {}, 'mcp.mjs')
    const url = new URL(`http://127.0.0.1:${server.port}/mcp`)
    const connected = async (headers) => {
      const client = new Client({ name: 'test', version: '1.0.0' })
      await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }))
      return client
    }
    await assert.rejects(connected({}), /token_missing/)
    const client = await connected({ [HEADER]: await issuer.mint({ email: 'alice@example.com' }) })
    const { content } = await client.callTool({ name: 'whoami' })
    assert.deepEqual(content, [{ type: 'text', text: 'hello alice@example.com' }])
    await client.close()
  })

  for (const file of ['ws.mjs', 'fastify.mjs', 'nest.mts'])
    test(`${file}: /ws says who opened it, and closes`, async (context) => {
      const { issuer, server, get } = await start(context, {}, file)
      const headers = { [HEADER]: await issuer.mint() }
      const client = new WebSocket(`ws://127.0.0.1:${server.port}/ws`, { headers })
      const closed = once(client, 'close')
      const [message] = await once(client, 'message')
      assert.equal(String(message), 'alice')
      await closed
      const upgrade = { Connection: 'Upgrade', Upgrade: 'websocket' }
      for (const target of ['/ws', '/health', '/public/a']) {
        assert.deepEqual((await get(target, undefined, upgrade)).body, { error: 'token_missing' }, target)
      }
    })

  test('http2.mjs: the same over HTTP/2', async (context) => {
    const { issuer, server } = await start(context, {}, 'http2.mjs')
    const client = http2.connect(`http://127.0.0.1:${server.port}`)
    context.after(() => client.close())
    const groups = Array.from({ length: 2000 }, (_, n) => `group-of-users-${n}`).join()
    for (const [headers, status, body] of [
      [{ [HEADER.toLowerCase()]: await issuer.mint() }, 200, /"subject":"alice"/],
      [{ [HEADER.toLowerCase()]: await issuer.mint({ groups }) }, 200, /"group-of-users-1999"/],
      [{ ':path': '/health' }, 200, /"configured":true/],
      [{}, 401, /^\{"error":"token_missing"\}$/],
    ]) {
      const stream = client.request(headers)
      const [response] = await once(stream, 'response')
      assert.equal(response[':status'], status)
      assert.match(Buffer.concat(await stream.toArray()).toString(), body)
    }
  })

  test('express4.mjs is app.mjs on Express 4, and package.json names what they import', () => {
    const [five, four] = ['app.mjs', 'express4.mjs'].map((name) => readFileSync(path.join(EXAMPLES, name), 'utf8'))
    const program = (text) => text.slice(text.indexOf('import'))
    assert.equal(program(four), program(five).replace("from 'express'", "from 'express4'"))
    const own = JSON.parse(readFileSync(path.join(EXAMPLES, 'package.json'), 'utf8')).dependencies
    const { devDependencies } = JSON.parse(readFileSync(path.join(PACKAGE, 'package.json'), 'utf8'))
    for (const [name, version] of Object.entries(own)) {
      assert.equal(version, name === 'pomerium-jwt' ? 'file:../../bindings-node' : devDependencies[name], name)
    }
  })
})

test('hello.mjs greets', async (context) => {
  const program = readFileSync(path.join(folder, 'hello.mjs'), 'utf8')
  assert.match(program, /listen\(8000\)/)
  const free = "listen(0, '127.0.0.1', function () { console.log(`http://127.0.0.1:${this.address().port}`) })"
  writeFileSync(path.join(folder, 'hello-here.mjs'), program.replace('listen(8000)', free))
  const { issuer, get } = await start(context, {}, 'hello-here.mjs')
  const { body } = await get('/', await issuer.mint({ email: 'alice@example.com' }))
  assert.equal(body, 'Hello alice@example.com')
  assert.deepEqual((await get('/')).body, { error: 'token_missing' })
})

/** What the issuer chose. */
function facts(token) {
  const { jti, iat, exp } = JSON.parse(Buffer.from(token.split('.')[1], 'base64url'))
  return { token_id: jti, issued_at: iat, expires_at: exp }
}

describe('app.mjs', { concurrency: true }, () => {
  test('the key server is away', async (context) => {
    const { issuer, get } = await start(context)
    await issuer.post('/fault?kind=500')
    const { status, headers, body } = await get('/', await issuer.mint())
    assert.deepEqual([status, body], [503, { error: 'keys_unavailable' }])
    assert(Number(headers['retry-after']) >= 1)
    const health = await get('/health')
    assert.deepEqual(
      [health.status, health.body.keys_loaded],
      [200, false],
      'alive, with every answer of the key server',
    )
  })

  test('the key server hangs from the start on', async (context) => {
    const { issuer, get } = await start(context, { POMERIUM_JWT_TIMEOUT: '1' })
    const token = await issuer.mint()
    await issuer.post('/fault?kind=hang')
    let waiting = 100
    const answers = Array.from({ length: waiting }, () => get('/', token).finally(() => waiting--))
    // Nobody else waits: these are answered while the others wait for their keys, or there is nobody waiting
    while (waiting > 0) assert.equal((await get('/health')).status, 200)
    for (const { status, body } of await Promise.all(answers)) {
      assert.deepEqual([status, body], [503, { error: 'keys_unavailable' }])
    }
    await issuer.post('/fault?kind=none')
    while ((await get('/', token)).status === 503) await setTimeout(100)
    assert.equal((await get('/', token)).status, 200)
  })

  test('the key server hangs later on: nobody is refused', async (context) => {
    const { issuer, get } = await start(context, { POMERIUM_JWT_TIMEOUT: '1', POMERIUM_JWT_CACHE_TTL: '3' })
    const token = await issuer.mint()
    assert.equal((await get('/', token)).status, 200)
    await issuer.post('/fault?kind=hang')
    const statuses = await steadily(7, () => get('/', token))
    assert.deepEqual([...new Set(statuses)], [200])
    assert.equal((await get('/health')).body.stale, true)
  })

  test('rotation under load, in steps: nobody is refused', async (context) => {
    const options = { POMERIUM_JWT_CACHE_TTL: '1', POMERIUM_JWT_REFETCH_COOLDOWN: '1' }
    const { issuer, get } = await start(context, options)
    const work = Array.from({ length: 4 }, () => steadily(7, async () => get('/', await issuer.mint())))
    for (const [pause, step] of [
      [1, 'append'],
      [2, 'swap'],
      [2, 'drop'],
    ]) {
      await setTimeout(pause * 1000)
      await issuer.post(`/rotate?step=${step}`)
    }
    const statuses = (await Promise.all(work)).flat()
    assert.deepEqual([...new Set(statuses)], [200])
    assert(statuses.length >= 80, `${statuses.length} requests only`)
  })

  test('rotation without the steps: the unknown key makes it fetch', async (context) => {
    const { issuer, get } = await start(context)
    assert.equal((await get('/', await issuer.mint())).status, 200)
    await issuer.post('/rotate')
    assert.equal((await get('/', await issuer.mint())).status, 200)
  })
})

test('verify.mjs', async (context) => {
  const issuer = await Issuer.start()
  context.after(() => issuer.close())
  const token = await issuer.mint()
  const table = [
    [issuer.url, token, 0, 'alice -\n', ''],
    [issuer.url, `${await issuer.mint({ email: 'a@example.com' })}\n`, 0, 'alice a@example.com\n', ''],
    [issuer.url, await issuer.mint({ expires_in: '-100' }), 1, '', 'token_expired: '],
    [issuer.url, '', 1, '', 'token_missing: '],
    ['', token, 2, '', 'invalid_options: '],
    ['http://127.0.0.1:9', token, 3, '', 'keys_unavailable: '],
  ]
  for (const [route, input, code, printed, complaint] of table) {
    const options = { input, env: environment({ POMERIUM_JWT_ROUTE: route }), encoding: 'utf8' }
    const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(folder, 'verify.mjs')], options)
    assert.deepEqual([status, stdout], [code, printed], stderr)
    assert(stderr.startsWith(complaint), stderr)
  }
})

/** The statuses of one call every 0.05 seconds. */
async function steadily(seconds, call) {
  const statuses = []
  const end = performance.now() + seconds * 1000
  while (performance.now() < end) {
    statuses.push((await call()).status)
    await setTimeout(50)
  }
  return statuses
}
