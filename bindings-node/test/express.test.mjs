// How the middleware fits into applications of Express 4 and 5 and of Connect; integrations.test.mjs has who gets in.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Writable } from 'node:stream'
import { test } from 'node:test'

import connect from 'connect'
import express from 'express'
import express4 from 'express4'
import { requireGroup as demandGroup, VerifyError } from 'pomerium-jwt'
import { pomerium, requireGroup, requireUser } from 'pomerium-jwt/express'
import { TestIssuer } from 'pomerium-jwt/testing'

import { ask, HEADER, listen } from './servers.mjs'

const issuer = new TestIssuer()
const other = new TestIssuer('other.example.com')
const protect = (options, whose = issuer) => pomerium({ ...whose.options, onRefused() {}, ...options })
const who = (request, response) => response.json(request.pomerium?.subject ?? null)

for (const [kind, express_] of Object.entries({ 'Express 5': express, 'Express 4': express4 })) {
  test(`${kind}: requireUser and requireGroup`, async (context) => {
    const app = express_()
    app.use(protect({ optional: true, allowAnonymous: true, exemptPaths: ['/exempt'] }))
    app.get('/', who)
    app.all('/user', requireUser, who)
    app.all('/admin', requireGroup('admins', 'owners'), who)
    app.get('/exempt', requireGroup('admins'), who)
    app.get('/thrown', (request, response) => who({ pomerium: demandGroup(request.pomerium, 'a,b') }, response))
    app.use((error, request, response, _) =>
      response.status(error.status).json({ ...error.headers, 'Content-Type': undefined }),
    )
    const port = await listen(context, app)
    const preflight = { 'Access-Control-Request-Method': 'PUT' }
    const table = [
      ['/', {}, 200, null],
      ['/', issuer.headers({ sub: '' }), 200, ''],
      ['/user', issuer.headers(), 200, 'alice'],
      ['/user', {}, 401, { error: 'token_missing' }],
      ['/user', issuer.headers({ sub: '' }), 401, { error: 'subject_missing' }],
      ['/user', { [HEADER]: issuer.expired() }, 401, { error: 'token_expired' }],
      ['/admin', issuer.headers({ groups: ['owners'] }), 200, 'alice'],
      ['/admin', issuer.headers({ groups: ['staff'] }), 403, { error: 'group_required' }],
      ['/admin', issuer.headers({ groups: 'admins', without: ['groups'] }), 403, { error: 'group_required' }],
      ['/admin', {}, 401, { error: 'token_missing' }],
      ['/exempt', issuer.headers({ groups: ['admins'] }), 401, { error: 'token_missing' }],
      ['/admin', preflight, 401, { error: 'token_missing' }, 'OPTIONS'],
      ['/thrown', issuer.headers({ groups: ['a,b'] }), 200, 'alice'],
      ['/thrown', issuer.headers({ groups: ['a'] }), 403, { 'Cache-Control': 'no-store' }],
    ]
    for (const [target, headers, status, body, method] of table) {
      const answer = await ask(port, target, headers, method)
      assert.deepEqual([answer.status, answer.body], [status, body], `${target} ${JSON.stringify(headers)}`)
    }
  })

  test(`${kind}: mounted routers`, async (context) => {
    const api = express_.Router()
    api.use(protect({ exemptPaths: ['/api/health', '/inner', '/', '/api'], requireGroup: 'staff' }))
    api.get('/health', who)
    api.get('/inner', who)
    api.get('/', who)
    const tenant = express_.Router({ mergeParams: true })
    tenant.use(protect({}, other), who)
    const inner = express_()
      .use(protect({ exemptPaths: ['/app/health'] }))
      .get('/:page', who)
    const app = express_()
    app.get('/', who)
    app.use('/api', api)
    app.use('/tenants/:name', tenant)
    app.use('/app', inner)
    const port = await listen(context, app)
    const staff = issuer.headers({ groups: ['staff'] })
    const table = [
      ['/', {}, 200],
      ['/api/health', {}, 200],
      ['/api/health?x', {}, 200],
      ['http://h:1/api/health', {}, 200],
      ['/API/health', {}, 401],
      ['/api/x/../health', {}, 401],
      ['/api/HEALTH', {}, 401],
      ['/api/inner', {}, 401],
      ['/api', {}, 200],
      ['/api?x=/y', {}, 200],
      ['/api/', {}, 401],
      ['/api/inner', staff, 200],
      ['/api/inner', issuer.headers(), 403],
      ['/tenants/one', other.headers(), 200],
      ['/tenants/one', issuer.headers(), 401],
      ['/app/health', {}, 200],
      ['/app/page', {}, 401],
      ['/app/page', issuer.headers(), 200],
    ]
    for (const [target, headers, status] of table) {
      assert.equal((await ask(port, target, headers)).status, status, `${target} ${JSON.stringify(headers)}`)
    }
  })

  test(`${kind}: a rewritten path is not exempt, neither by what it was nor by what it became`, async (context) => {
    const app = express_()
    app.use((request, response, next) => next(void (request.url = request.get('X-Rewrite') ?? request.url)))
    app.use(protect({ exemptPaths: ['/health', '/api/health', '/api'] }))
    app.use('/api', protect({ exemptPaths: ['/health', '/api/health', '/api'] }))
    app.use((request, response) => response.json(request.url))
    const port = await listen(context, app)
    for (const [target, rewritten, status] of [
      ['/health', '/admin', 401],
      ['/page', '/health', 401],
      ['/health', '/api/health', 401],
      ['/api/health', '/health', 401],
      ['/api/health', '/api/admin', 401],
      ['/api', '/api/admin', 401],
      ['/api/health', '/api', 401],
      ['/health', '//health', 401],
      ['/health', 'http://h/admin', 401],
      ['/health', '/health?x=1', 200],
      ['/api/health?x=1', '/api/health', 200],
      ['/health?to=/page', '/page', 401],
    ]) {
      assert.equal((await ask(port, target, { 'X-Rewrite': rewritten })).status, status, `${target} -> ${rewritten}`)
    }
  })

  test(`${kind}: nothing that a client sends becomes the identity`, async (context) => {
    const app = express_()
    app.use(express_.urlencoded({ extended: true }), express_.json())
    app.use((request, response, next) => next(void Object.assign(request, request.query, request.body)))
    app.get('/before', requireUser, who)
    app.use(protect({ optional: true }))
    app.post('/merged', (request, response) => {
      assert.throws(() => Object.assign(request, { pomerium: { subject: 'mallory' } }), TypeError)
      who(request, response)
    })
    app.get('/user', requireUser, who)
    const errors = []
    app.use((error, request, response, _) => response.status(500).json(errors.push(error.message)))
    const port = await listen(context, app)
    const query = '?pomerium[subject]=mallory&pomerium[isUser]=true'
    assert.deepEqual((await ask(port, `/merged${query}`, {}, 'POST')).body, null)
    assert.equal((await ask(port, `/user${query}`)).status, 401)
    assert.equal((await ask(port, `/before${query}`, issuer.headers())).status, 500)
    assert.match(errors.join(), /^no pomerium\(\) has run before, so nothing has been verified$/)
  })

  test(`${kind}: refusals reach no error-first handler, faults do`, async (context) => {
    const seen = []
    const app = express_()
    const errorHandler = ({ code }) => {
      if (code === 'token_missing') throw new Error('a fault of the hook')
      return { contentType: 'text/plain', body: code }
    }
    app.use(protect({ errorHandler }), () => seen.push('the application'))
    app.use((error, request, response, _) => response.status(502).json(seen.push(error.message)))
    const port = await listen(context, app)
    assert.deepEqual([(await ask(port, '/', { [HEADER]: 'x' })).body, seen], ['token_malformed', []])
    assert.equal((await ask(port, '/')).status, 502)
    assert.deepEqual(seen, ['a fault of the hook'])
  })

  test(`${kind}: what the application throws is its error handler's`, async (context) => {
    const app = express_().use(protect())
    app.get('/sync', () => {
      throw new Error('of the application')
    })
    app.use((error, request, response, _) => response.status(418).json(error.message))
    const port = await listen(context, app)
    const { status, body } = await ask(port, '/sync', issuer.headers())
    assert.deepEqual([status, body], [418, 'of the application'])
  })

  test(`${kind}: trust proxy and X-Forwarded headers change nothing`, async (context) => {
    const app = express_().set('trust proxy', true).use(protect()).get('/', who)
    const port = await listen(context, app)
    const forwarded = {
      'X-Forwarded-Host': 'other.example.com',
      'X-Forwarded-Proto': 'https',
      Host: 'evil.example.com',
    }
    assert.equal((await ask(port, '/', { ...forwarded, ...issuer.headers() })).body, 'alice')
    assert.equal((await ask(port, '/', { ...forwarded, ...other.headers() })).status, 401)
  })

  test(`${kind}: the body is still there after the check`, async (context) => {
    const app = express_()
      .use(protect(), express_.json())
      .post('/', (request, response) => response.json(request.body))
    const port = await listen(context, app)
    const headers = { ...issuer.headers(), 'Content-Type': 'application/json' }
    const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers, body: '{"a":1}' })
    assert.deepEqual(await response.json(), { a: 1 })
  })

  test(`${kind}: two applications, each with its own verifier`, async (context) => {
    const app = express_()
    app.use('/one', protect(), who).use('/two', protect({}, other), who)
    const port = await listen(context, app)
    const statuses = (whose) => Promise.all(['/one', '/two'].map((target) => ask(port, target, whose.headers())))
    assert.deepEqual(
      (await statuses(issuer)).map(({ status }) => status),
      [200, 401],
    )
    assert.deepEqual(
      (await statuses(other)).map(({ status }) => status),
      [401, 200],
    )
  })
}

test('Connect: mounted, and rewritten', async (context) => {
  const app = connect()
  app.use((request, response, next) => next(void (request.url = request.headers['x-rewrite'] ?? request.url)))
  app.use('/api', protect({ exemptPaths: ['/api/health', '/health', '/'] }))
  app.use(protect({ exemptPaths: ['/health', '/open/health'] }))
  app.use((request, response) => response.end(request.pomerium?.subject ?? 'nobody'))
  const port = await listen(context, app)
  const table = [
    ['/api/page', issuer.headers(), 200],
    ['/api/page', {}, 401],
    ['/api/health', {}, 401], // Connect does not keep a mount's prefix: nothing is exempt below it
    ['/api', {}, 401],
    ['/health', {}, 200],
    ['/open/health?x=1', {}, 200],
    ['http://h/health', {}, 200],
    ['/health', { 'X-Rewrite': '/page' }, 401],
    ['/open/health', { 'X-Rewrite': '/health' }, 401],
    ['/page', { 'X-Rewrite': '/health' }, 401],
    ['/health?to=/page', { 'X-Rewrite': '/page' }, 401],
    ['/health?to=/page', {}, 200],
  ]
  for (const [target, headers, status] of table) {
    assert.equal((await ask(port, target, headers)).status, status, `${target} ${JSON.stringify(headers)}`)
  }
})

test('requests of serverless platforms, whose adapters fill in `headers` alone', async () => {
  const { [HEADER]: token } = issuer.headers()
  const name = HEADER.toLowerCase()
  const table = [
    [{ [name]: token }, 200, '"alice"'],
    [{ [name]: `${token}, ${token}` }, 401, '{"error":"token_repeated"}'],
    [{ [name]: [token, token] }, 401, '{"error":"token_repeated"}'],
    [{ [name]: token, [HEADER]: token }, 401, '{"error":"token_repeated"}'],
    [{ [HEADER]: token }, 200, '"alice"'],
    [{}, 401, '{"error":"token_missing"}'],
  ]
  for (const [headers, status, body] of table) {
    const request = Object.assign(new IncomingMessage(), { method: 'GET', url: '/', headers })
    let written = ''
    const response = new ServerResponse(request)
    response.assignSocket(new Writable({ write: (chunk, _, done) => done(void (written += chunk)) }))
    express().use(protect(), who)(request, response)
    await once(response, 'finish')
    assert.equal(response.statusCode, status)
    assert(written.endsWith(`\r\n\r\n${body}`), written)
  }
})

test('requireGroup needs names', () => {
  for (const wrong of [[], [1], [['admins']], ['admins', undefined]]) {
    assert.throws(() => requireGroup(...wrong), VerifyError, JSON.stringify(wrong))
  }
})
