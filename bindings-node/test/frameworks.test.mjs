// What Fastify, Koa, Hono and the Fetch API have of their own; who gets in on real sockets is the HTTP suite's.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import fastifyCors from '@fastify/cors'
import { createAdaptorServer, upgradeWebSocket } from '@hono/node-server'
import Router from '@koa/router'
import Fastify from 'fastify'
import { Hono } from 'hono'
import Koa from 'koa'
import mount from 'koa-mount'
import Router10 from 'koa-router10'
import { requireGroup as demandGroup } from 'pomerium-jwt'
import * as forFastify from 'pomerium-jwt/fastify'
import * as forFetch from 'pomerium-jwt/fetch'
import * as forHono from 'pomerium-jwt/hono'
import * as forKoa from 'pomerium-jwt/koa'
import { TestIssuer } from 'pomerium-jwt/testing'
import { WebSocket, WebSocketServer } from 'ws'

import { ask, listen } from './servers.mjs'

const issuer = new TestIssuer()
const silent = { ...issuer.options, onRefused() {} }
const refused = (code, status = 401) => [status, { error: code }]
const answerOf = ({ status, body }) => [status, body]

/** An application of Fastify, asked without a socket. */
async function fastify(context, build, options = {}) {
  const app = Fastify(options)
  context.after(() => app.close())
  await build(app)
  await app.ready()
  return async (url, headers = {}) => {
    const { statusCode, body } = await app.inject({ url, headers })
    return [statusCode, body.startsWith('{') ? JSON.parse(body) : body]
  }
}

test('Fastify: earlier routes, later plugins and unknown paths are covered', async (context) => {
  const get = await fastify(context, async (app) => {
    app.get('/earlier', async () => 'reached')
    await app.register(fastifyCors)
    await app.register(forFastify.pomerium, silent)
    app.register(async (child) => child.get('/', async ({ pomerium }) => pomerium.subject), { prefix: '/child' })
    app.register(async (child) => child.setNotFoundHandler(async () => 'reached'), { prefix: '/lost' })
  })
  for (const path of ['/earlier', '/child', '/lost/x', '/nowhere']) {
    assert.deepEqual(await get(path), refused('token_missing'), path)
  }
  assert.deepEqual(await get('/child', issuer.headers()), [200, 'alice'])
  assert.deepEqual(await get('/lost/x', issuer.headers()), [200, 'reached'])
})

test('Fastify: where it would not cover the application, that does not start', async (context) => {
  const child = async (app) => app.get('/', async () => 'reached')
  const early = (app) => app.register(child).register(forFastify.pomerium, silent)
  await assert.rejects(fastify(context, early), { code: 'invalid_options', message: /register pomerium first/ })
  // What @fastify/middie and @fastify/express do
  const middleware = (app) => app.decorate('use', () => {}).register(forFastify.pomerium, silent)
  await assert.rejects(fastify(context, middleware), {
    code: 'invalid_options',
    message: /middie.*register pomerium first/,
  })
  const within = (app) => app.register(async (inner) => child(inner.register(forFastify.pomerium, silent)))
  assert.deepEqual(await (await fastify(context, within))('/'), refused('token_missing'))
  const wrong = (app) => app.register(forFastify.pomerium, { route: 'https://app.example.com', prefix: '/x' })
  await assert.rejects(fastify(context, wrong), { code: 'invalid_options', message: /prefix/ })
})

test('Fastify: a refusal says its code alone, also one that a handler throws, and so does a hook that fails', async (context) => {
  context.mock.method(console, 'error', () => {})
  const get = await fastify(context, async (app) => {
    await app.register(forFastify.pomerium, silent)
    app.get('/thrown', async ({ pomerium }) => demandGroup(pomerium, 'secret-group'))
    app.get('/hook', { onRequest: forFastify.requireGroup('secret-group') }, async () => 'reached')
    app.get('/user', { preHandler: forFastify.requireUser }, async ({ pomerium }) => pomerium.subject)
  })
  assert.deepEqual(await get('/hook', issuer.headers()), refused('group_required', 403))
  assert.deepEqual(await get('/user', issuer.headers()), [200, 'alice'])
  const [status, thrown] = await get('/thrown', issuer.headers())
  assert.deepEqual([status, thrown.message], [403, 'group_required'])
  const failing = { ...issuer.options, onRefused: () => assert.fail('a secret of the hook') }
  const other = await fastify(context, (app) => app.register(forFastify.pomerium, failing))
  assert.deepEqual(await other('/'), refused('internal', 500))
  const without = await fastify(context, (app) =>
    app.get('/', { onRequest: forFastify.requireUser }, async () => 'reached'),
  )
  assert.equal((await without('/', issuer.headers()))[0], 500)
})

test('Fastify: nobody replaces request.pomerium, and what rewriteUrl changes is not exempt', async (context) => {
  const rewriteUrl = ({ url }) => (url === '/health' ? '/admin' : url)
  const get = await fastify(
    context,
    async (app) => {
      await app.register(forFastify.pomerium, { ...silent, exemptPaths: ['/health', '/admin'] })
      app.get('*', async (request) => {
        assert.throws(() => Object.assign(request, { pomerium: { subject: 'mallory' } }), TypeError)
        return request.pomerium?.subject ?? 'nobody'
      })
    },
    { rewriteUrl },
  )
  assert.deepEqual(await get('/health'), refused('token_missing'))
  assert.deepEqual(await get('/admin'), [200, 'nobody'])
  assert.deepEqual(await get('/', issuer.headers()), [200, 'alice'])
})

test('Koa: a mount keeps its prefix, a demand without pomerium() is an error, a failing hook a 500', async (context) => {
  context.mock.method(console, 'error', () => {})
  const inner = new Koa().use(forKoa.pomerium({ ...silent, exemptPaths: ['/api/health'] }))
  inner.use((ctx) => (ctx.body = ctx.state.pomerium?.subject ?? 'nobody'))
  const app = new Koa().use(mount('/api', inner)).use(forKoa.requireUser)
  app.silent = true
  const port = await listen(context, app.callback())
  const table = [
    ['/api/health', {}, [200, 'nobody']],
    ['/api/other', {}, refused('token_missing')],
    ['/api/other', issuer.headers(), [200, 'alice']],
    ['/elsewhere', issuer.headers(), [500, 'Internal Server Error']],
  ]
  for (const [path, headers, expected] of table) assert.deepEqual(answerOf(await ask(port, path, headers)), expected)
  const failing = new Koa().use(forKoa.pomerium({ ...issuer.options, onRefused: () => assert.fail('a fault') }))
  const other = await listen(context, failing.callback())
  assert.deepEqual(answerOf(await ask(other, '/')), refused('internal', 500))
})

for (const [version, Kind, variable] of [
  ['15', Router, 'newRouterPath'],
  ['10', Router10, 'routerPath'],
]) {
  test(`Koa: where @koa/router ${version} goes by ctx.${variable}, nothing is exempt`, async (context) => {
    const router = new Kind()
    router.get('/health', (ctx) => (ctx.body = 'healthy'))
    router.get('/admin', (ctx) => (ctx.body = `admin ${ctx.state.pomerium?.subject}`))
    const app = new Koa().use((ctx, next) => {
      ctx[variable] = ctx.get('X-To') || undefined
      return next()
    })
    app.use(forKoa.pomerium({ ...silent, exemptPaths: '/health' })).use(router.routes())
    const port = await listen(context, app.callback())
    const table = [
      [{}, [200, 'healthy']],
      [{ 'X-To': '/health' }, [200, 'healthy']],
      [{ 'X-To': '/admin' }, refused('token_missing')],
      [{ 'X-To': '/admin', ...issuer.headers() }, [200, 'admin alice']],
    ]
    for (const [headers, expected] of table) {
      assert.deepEqual(answerOf(await ask(port, '/health', headers)), expected, headers['X-To'])
    }
  })
}

/** A server of Hono, closed with the test. */
async function hono(context, app, options = {}) {
  const server = createAdaptorServer({ fetch: app.fetch, ...options })
  context.after(() => (server.closeAllConnections(), server.close()))
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server.address().port
}

test('Hono: WebSockets, mounts and earlier routes', async (context) => {
  const app = new Hono()
  app.get('/before', (c) => c.text('not covered: it was added before'))
  app.use(forHono.pomerium({ ...silent, exemptPaths: ['/inner/health', '/health', '/ws'] }))
  app.get(
    '/ws',
    upgradeWebSocket((c) => ({ onOpen: (_, socket) => socket.send(c.get('pomerium').subject) })),
  )
  app.mount('/inner', new Hono().use(forHono.pomerium({ ...silent, exemptPaths: ['/health'] })).fetch)
  app.get('/admin', forHono.requireGroup('admins'), (c) => c.text('reached'))
  const port = await hono(context, app, { websocket: { server: new WebSocketServer({ noServer: true }) } })
  const open = (headers) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, { headers })
    context.after(() => socket.terminate())
    return new Promise((resolve) => {
      socket.on('message', (text) => resolve(String(text)))
      socket.on('error', (error) => resolve(error.message))
    })
  }
  assert.equal(await open(issuer.headers()), 'alice')
  assert.equal(await open({}), 'Unexpected server response: 401')
  assert.deepEqual(answerOf(await ask(port, '/inner/health')), refused('token_missing'), 'the inner application')
  assert.deepEqual(answerOf(await ask(port, '/nowhere')), refused('token_missing'))
  assert.deepEqual(answerOf(await ask(port, '/admin', issuer.headers())), refused('group_required', 403))
})

test('Hono: without a request as it came, as on Bun, nothing is exempt', async () => {
  const inner = new Hono()
    .use(forHono.pomerium({ ...silent, exemptPaths: '/health' }))
    .all('*', (c) => c.text('reached'))
  const app = new Hono().get('/before', (c) => c.text('public')).mount('/admin', inner.fetch)
  assert.equal((await app.request('/before')).status, 200)
  assert.equal((await app.request('/admin/health')).status, 401)
  assert.equal((await inner.request('/health')).status, 401)
  assert.equal((await inner.request('/health', { headers: issuer.headers() })).status, 200)
})

test('Fetch: who gets in, and by which spelling of the path', async () => {
  const admit = forFetch.pomerium({ ...silent, exemptPaths: ['/health', '/public/*'] })
  const outcome = async (path, headers = {}) => {
    const answer = await admit(new Request(`http://app.example.com${path}`, { headers }))
    return answer instanceof Response ? answerOf({ status: answer.status, body: await answer.json() }) : answer?.subject
  }
  assert.equal(await outcome('/', issuer.headers()), 'alice')
  assert.equal(await outcome('/health?x=/admin'), undefined)
  assert.deepEqual(await outcome('/health', { Upgrade: 'websocket' }), refused('token_missing'))
  for (const path of ['/', '/health/', '/%68ealth', '/public/%2e%2e/admin', '/public/%2fa', '/health;x', '//health']) {
    assert.deepEqual(await outcome(path), refused('token_missing'), path)
  }
  const two = new Headers([...Object.entries(issuer.headers()), ...Object.entries(issuer.headers())])
  assert.deepEqual(await outcome('/', two), refused('token_repeated'))
  // A server that hands on the target as it came, which a router parses
  const raw = { url: 'http://app.example.com/public/../admin', headers: new Headers() }
  assert.equal((await admit(raw)).status, 401)
  // What Bun makes of CONNECT, and of HTTP/1.0 without a Host
  for (const [method, url] of [
    ['CONNECT', 'http://app.example.com/health'],
    ['GET', '/health'],
  ]) {
    assert.equal((await admit({ method, url, headers: new Headers() })).status, 401, method)
    assert.equal((await admit({ method, url, headers: new Headers(issuer.headers()) })).subject, 'alice', method)
  }
})

test('Fetch: protect answers what the handler demands, and what else it throws is not ours', async () => {
  const handle = forFetch.protect(
    (request, identity, word) => {
      if (request.url.endsWith('/fault')) throw new RangeError('a fault')
      return Response.json([demandGroup(identity, 'admins').subject, word])
    },
    { ...silent, errorHandler: ({ code }) => ({ contentType: 'text/plain', body: code }) },
  )
  const call = (path, headers = {}) => handle(new Request(`http://a${path}`, { headers }), 'more')
  assert.deepEqual(await (await call('/', issuer.headers({ groups: ['admins'] }))).json(), ['alice', 'more'])
  const response = await call('/', issuer.headers())
  assert.deepEqual([response.status, await response.text()], [403, 'group_required'])
  assert.equal((await call('/')).headers.get('WWW-Authenticate'), 'Bearer error="invalid_token"')
  await assert.rejects(call('/fault', issuer.headers()), RangeError)
})
