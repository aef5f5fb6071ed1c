// Who gets in, and what the others are told: the same for Express 4 and 5, Connect and a plain http.Server.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'

import connect from 'connect'
import express from 'express'
import express4 from 'express4'
import { VerifyError } from 'pomerium-jwt'
import { pomerium } from 'pomerium-jwt/express'
import { protect } from 'pomerium-jwt/http'
import { TestIssuer } from 'pomerium-jwt/testing'

import { ask, HEADER, listen } from './servers.mjs'

const issuer = new TestIssuer()
const silent = { onRefused() {} }

function answer(request, response) {
  const caller = request.pomerium ? request.pomerium.subject || 'anonymous' : 'nobody'
  response.setHeader('X-Caller', caller)
  response.end(caller)
}

const kinds = {
  'Express 5': (options) => express().use(pomerium(options)).use(answer),
  'Express 4': (options) => express4().use(pomerium(options)).use(answer),
  Connect: (options) => connect().use(pomerium(options)).use(answer),
  http: (options) => protect(answer, options),
}

for (const [kind, application] of Object.entries(kinds)) {
  const serve = (context, options) => listen(context, application({ ...issuer.options, ...silent, ...options }))

  test(`${kind}: who gets in`, async (context) => {
    const refused = (status, code) => ({ status, body: { error: code } })
    const passed = (body) => ({ status: 200, body })
    const good = issuer.token({ groups: ['staff'] })
    const admins = { requireGroup: ['admins', 'owners'] }
    const exempt = { exemptPaths: ['/health', '/public/*'] }
    // A plain listener compares targets as they are, and a router their paths
    const absolute = kind === 'http' ? refused(401, 'token_missing') : passed('nobody')
    const table = [
      [{}, '/', good, passed('alice')],
      [{}, '/', undefined, refused(401, 'token_missing')],
      [{}, '/', '', refused(401, 'token_missing')],
      [{}, '/', 'nonsense', refused(401, 'token_malformed')],
      [{}, '/', '\u00ff.\u00ff.\u00ff', refused(401, 'token_malformed')],
      [{}, '/', [good, good], refused(401, 'token_repeated')],
      [{}, '/', `${good},${good}`, refused(401, 'token_repeated')],
      [{}, '/', issuer.expired(), refused(401, 'token_expired')],
      [{}, '/', issuer.wrongAudience(), refused(401, 'audience_mismatch')],
      [{}, '/', issuer.token({ sub: '' }), refused(401, 'subject_missing')],
      [{}, '/', new TestIssuer().token(), refused(401, 'key_not_found')],
      [{}, `/?jwt=${good}&pomerium=${good}`, undefined, refused(401, 'token_missing')],
      [{ allowAnonymous: true }, '/', issuer.token({ sub: '' }), passed('anonymous')],
      [{ optional: true }, '/', undefined, passed('nobody')],
      [{ optional: true }, '/', '', passed('nobody')],
      [{ optional: true }, '/', good, passed('alice')],
      [{ optional: true }, '/', 'nonsense', refused(401, 'token_malformed')],
      [{ optional: true }, '/', issuer.expired(), refused(401, 'token_expired')],
      [{ optional: true }, '/', [good, good], refused(401, 'token_repeated')],
      [admins, '/', issuer.token({ groups: ['owners'] }), passed('alice')],
      [admins, '/', good, refused(403, 'group_required')],
      [admins, '/', undefined, refused(401, 'token_missing')],
      [{ ...admins, allowAnonymous: true }, '/', issuer.token({ sub: '' }), refused(403, 'group_required')],
      [{ requireGroup: 'staff' }, '/', good, passed('alice')],
      [exempt, '/health', undefined, passed('nobody')],
      [exempt, '/health?x=1', 'nonsense', passed('nobody')],
      [exempt, '/health', good, passed('nobody')],
      [exempt, '/public/a/b.css', undefined, passed('nobody')],
      [exempt, 'http://127.0.0.1/health', undefined, absolute],
      [exempt, 'http://127.0.0.1:80/health', undefined, absolute],
      [exempt, 'http://[::1]:80/health', undefined, absolute],
      [exempt, 'HTTPS://user@a/health', undefined, refused(401, 'token_missing')],
      [exempt, 'http://health', undefined, refused(401, 'token_missing')],
      // Express and Connect route the first of these to /:b/health
      [exempt, 'http://a:b/health', undefined, refused(401, 'token_missing')],
      [exempt, 'http://a::/health', undefined, refused(401, 'token_missing')],
      [exempt, 'http://a:80:/health', undefined, refused(401, 'token_missing')],
      [exempt, 'http://:80/health', undefined, refused(401, 'token_missing')],
      ...[
        ...[
          '/health/',
          '/health/more',
          '/HEALTH',
          '/%68ealth',
          '//health',
          '/admin/..%2Fhealth',
          '/?/health',
          '/health;x',
        ],
        ...[
          '/public',
          '/public/',
          '/public//a',
          '/public/../a',
          '/public/%2e%2e/a',
          '/public/./a',
          '/public\\a',
          '/./health',
        ],
        ...['//a/health', '/a/../health', '/health%00', '/health%3Fx', '/health#x', '/x?y=/../health'],
      ].map((target) => [exempt, target, undefined, refused(401, 'token_missing')]),
    ]
    for (const [options, target, token, expected] of table) {
      const port = await serve(context, options)
      const { status, body } = await ask(port, target, token === undefined ? {} : { [HEADER]: token })
      assert.deepEqual({ status, body }, expected, `${target} with ${JSON.stringify(options)} and ${token}`)
    }
  })

  test(`${kind}: another header, with Bearer in front`, async (context) => {
    const port = await serve(context, { headerName: 'Authorization' })
    const token = `Bearer ${issuer.token()}`
    assert.equal((await ask(port, '/', { Authorization: token })).body, 'alice')
    assert.deepEqual((await ask(port, '/', { Authorization: [token, token] })).body, { error: 'token_repeated' })
    assert.deepEqual((await ask(port, '/', issuer.headers())).body, { error: 'token_missing' })
    assert.deepEqual((await ask(port, '/', { [`${HEADER}-For`]: issuer.token() })).body, { error: 'token_missing' })
  })

  test(`${kind}: preflights and other methods are requests like any other`, async (context) => {
    const port = await serve(context)
    const preflight = { 'Access-Control-Request-Method': 'GET', Origin: 'https://other.example.com' }
    for (const method of ['OPTIONS', 'GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'PROPFIND', 'HEAD', 'TRACE']) {
      const { status, headers } = await ask(port, '/', preflight, method)
      assert.deepEqual([status, headers['x-caller']], [401, undefined], method)
      const good = await ask(port, '/', { ...preflight, ...issuer.headers() }, method)
      assert.deepEqual([good.status, good.headers['x-caller']], [200, 'alice'], method)
    }
    // Connect does not route it
    assert.equal((await ask(port, '*', {}, 'OPTIONS')).status, kind === 'Connect' ? 404 : 401)
  })

  test(`${kind}: the response to a refusal, whole`, async (context) => {
    const port = await serve(context)
    const { status, headers, body } = await ask(port, '/')
    assert.deepEqual([status, body], [401, { error: 'token_missing' }])
    const expected = {
      'content-type': 'application/json',
      'content-length': '25',
      'cache-control': 'no-store',
      'www-authenticate': 'Bearer error="invalid_token"',
    }
    for (const [name, value] of Object.entries(expected)) assert.equal(headers[name], value, name)
    const head = await ask(port, '/', {}, 'HEAD')
    assert.deepEqual([head.status, head.body], [401, ''])
    for (const [name, value] of Object.entries(expected)) assert.equal(head.headers[name], value, `HEAD: ${name}`)
  })

  test(`${kind}: a request that asks for an upgrade is never exempt, h2c is none`, async (context) => {
    const port = await serve(context, { exemptPaths: '/health' })
    for (const [upgrade, status] of [
      ['websocket', 401],
      ['h2c', 200],
      ['H2C ', 200],
      [['h2c', 'websocket'], 401],
      [['', 'h2c'], 401],
      ['', 200],
      ['foo', 401],
    ]) {
      for (const more of [{}, { Connection: 'Upgrade' }]) {
        assert.equal((await ask(port, '/health', { Upgrade: upgrade, ...more })).status, status, `${upgrade}`)
      }
    }
  })

  test(`${kind}: no keys are 503 with Retry-After`, async (context) => {
    const port = await listen(context, application({ route: 'http://127.0.0.1:9', ...silent }))
    const { status, headers, body } = await ask(port, '/', issuer.headers())
    assert.deepEqual([status, body], [503, { error: 'keys_unavailable' }])
    assert(Number(headers['retry-after']) >= 1, `Retry-After is ${headers['retry-after']}`)
  })

  test(`${kind}: errorHandler renders and lets nobody in`, async (context) => {
    const seen = []
    const port = await serve(context, {
      errorHandler: async ({ code, status, reason }, request) => {
        seen.push(`${status} ${request.url} ${reason.length > 0}`)
        return { contentType: 'text/html; charset=utf-8', body: `<h1>${code} ü</h1>` }
      },
      onRefused: (code, reason, path) => seen.push(`${code} ${path}`),
    })
    const { status, headers, body } = await ask(port, '/path?x=1')
    assert.deepEqual([status, body], [401, '<h1>token_missing ü</h1>'])
    assert.equal(headers['content-type'], 'text/html; charset=utf-8')
    assert.equal(headers['www-authenticate'], 'Bearer error="invalid_token"')
    assert.deepEqual(seen, ['token_missing /path', '401 /path?x=1 true'])
    assert.equal((await ask(port, '/', issuer.headers())).body, 'alice')
  })

  for (const hook of ['errorHandler', 'onRefused']) {
    test(`${kind}: ${hook} that fails lets nobody in`, async (context) => {
      context.mock.method(console, 'error', () => {})
      const fail = () => {
        throw new Error('a fault of the hook')
      }
      for (const failing of [fail, async () => fail()]) {
        const port = await serve(context, { [hook]: failing })
        assert.equal((await ask(port, '/')).status, 500)
        assert.equal((await ask(port, '/', issuer.headers())).body, 'alice')
      }
    })
  }

  test(`${kind}: errorHandler that gives what cannot be sent lets nobody in`, async (context) => {
    context.mock.method(console, 'error', () => {})
    const contentType = 'text/plain'
    const wrong = [{}, { contentType }, { contentType: 'a\nb', body: '' }, { contentType, body: new Uint16Array(2) }]
    for (const rendered of [...wrong, { contentType, body: new ArrayBuffer(4) }, 'a page']) {
      const port = await serve(context, { errorHandler: () => rendered })
      assert.equal((await ask(port, '/')).status, 500)
    }
  })
}

const lines = (mock) => mock.mock.calls.map(({ arguments: [line] }) => line)

test('the log: standard error alone, the summary at start, and a line in which no client writes', async (context) => {
  const [warn, info, log] = ['warn', 'info', 'log'].map((method) => context.mock.method(console, method, () => {}))
  const decode = (request, _, next) => next(void (request.originalUrl = decodeURI(request.url)))
  const protect = pomerium(issuer.options)
  const port = await listen(context, express().use(decode).use(protect))
  const summary = `pomerium-jwt: ${protect.verifier.summary}`
  assert.match(
    summary,
    /accepts issuer and audience app\.example\.com or https:\/\/app\.example\.com\/; keys: jwks; header/,
  )
  assert.deepEqual(lines(warn), [summary])

  const token = issuer.expired()
  await ask(port, '/a%0Ab%22%C2%85%E2%80%A8?x=1', { [HEADER]: token })
  const [, line, ...others] = lines(warn)
  assert.match(line, /^pomerium-jwt: refused "\/a\\nb\\"\\u0085\\u2028": token_expired: .* expired /)
  assert.deepEqual(others, [])
  assert(!line.includes(token.split('.')[2]))
  assert.deepEqual([lines(info), lines(log)], [[], []], 'nothing on standard output')
})

test('1,000 refusals on 1,000 paths are at most one line a second for each code', async (context) => {
  const said = []
  const logger = { info() {}, warn: (line) => said.push([performance.now(), line]) }
  // Two middlewares with one logger share its limit
  const guard = () => pomerium({ ...issuer.options, logger })
  const port = await listen(context, express().use('/a', guard()).use(guard()))
  const start = performance.now()
  for (let round = 0; round < 100; round++) {
    const paths = Array.from({ length: 10 }, (_, n) => `${n % 2 ? '/a' : ''}/${round}-${n}`)
    await Promise.all(paths.map((path, n) => ask(port, path, n < 5 ? {} : { [HEADER]: 'x' })))
  }
  await setTimeout(1100)
  const seconds = (performance.now() - start) / 1000
  for (const code of ['token_missing', 'token_malformed']) {
    const own = said.filter(([, line]) => line.includes(`: ${code}: `))
    assert(own.length >= 2 && own.length <= seconds + 1, `${own.length} lines in ${seconds} s`)
    const more = own.map(([, line]) => Number(/refused (\d+) more within a second/.exec(line)?.[1] ?? 1))
    assert.equal(
      more.reduce((sum, count) => sum + count),
      500,
      'none is left out',
    )
    for (let n = 1; n < own.length; n++) assert(own[n][0] - own[n - 1][0] > 990, 'a second apart')
  }
})

test('a logger that fails after its request does not end the process', async (context) => {
  let calls = 0
  const warn = () => {
    calls += 1
    if (calls > 1) throw new Error('the disk is full')
  }
  const port = await listen(context, express().use(pomerium({ ...issuer.options, logger: { info() {}, warn } })))
  for (let n = 0; n < 2; n++) await ask(port, '/')
  await setTimeout(1100)
  assert.equal(calls, 2, 'the second line came when its second was over')
})

test('a wrong configuration stops the start', () => {
  const route = 'https://app.example.com'
  const verifier = issuer.verifier()
  const table = [
    [{ route: 'app.example.com' }, /route/],
    [{ issuer: 'app.example.com' }, /audience/],
    [{ route, jwksUri: 'x' }, /write jwksUrl/],
    [{ route, header: 'x' }, /"header" is unknown/],
    [{ route, headerName: '' }, /headerName/],
    [{ route, headerName: 7 }, /headerName takes a string/],
    [{ route, optional: 'yes' }, /optional takes true or false/],
    [{ route, optional: true, requireGroup: 'a' }, /optional and requireGroup contradict/],
    [{ route, exemptPaths: ['healthz'] }, /exemptPaths/],
    [{ route, exemptPaths: ['/*'] }, /exemptPaths/],
    [{ route, exemptPaths: new Set(['/health']) }, /exemptPaths: write an object literal/],
    [{ route, requireGroup: [] }, /requireGroup/],
    [{ route, requireGroup: [7] }, /requireGroup/],
    [{ route, requireGroup: null }, /requireGroup/],
    [{ route, errorHandler: 'page' }, /errorHandler takes a function/],
    [{ route, onRefused: {} }, /onRefused takes a function/],
    [{ route, logger: console.warn }, /logger takes a logger/],
    [{ verifier: {} }, /verifier takes a Verifier/],
    [{ verifier, route, leeway: 1 }, /route|leeway/],
    [{}, /audience/],
    [undefined, /audience/],
    [null, /write an object/],
    ['https://app.example.com', /write an object/],
    [Object.assign(Object.create({ expectClaims: { department: 'IT' } }), { route }), /write an object literal/],
    [{ route, get requireGroup() { return 'a' } }, /requireGroup is not a plain member/], // prettier-ignore
  ]
  for (const [options, part] of table) {
    for (const start of [pomerium, (options) => protect(answer, options)]) {
      const isOurs = (error) => error instanceof VerifyError && error.code === 'invalid_options'
      assert.throws(
        () => start(options),
        (error) => isOurs(error) && part.test(error.message),
        JSON.stringify(options),
      )
    }
  }
})

test('a polluted prototype lets nobody in and adds no option', async (context) => {
  const names = ['markedPublic', 'optional', 'verifier', 'errorHandler', 'upgrade', 'exemptPaths', 'closeAtExpiry']
  const paths = ['originalUrl', 'baseUrl']
  context.after(() => [...names, ...paths].forEach((name) => delete Object.prototype[name]))
  const values = [true, true, { admit: () => undefined }, () => ({ contentType: 'a/b', body: 'x' }), false, ['/'], true]
  names.forEach((name, index) => (Object.prototype[name] = values[index]))
  for (const application of Object.values(kinds)) {
    const port = await listen(context, application({ ...issuer.options, ...silent }))
    assert.deepEqual((await ask(port, '/')).body, { error: 'token_missing' })
  }
  names.forEach((name) => delete Object.prototype[name])
  for (const application of Object.values(kinds)) {
    const port = await listen(context, application({ ...issuer.options, ...silent, exemptPaths: '/health' }))
    paths.forEach((name) => (Object.prototype[name] = '/health'))
    assert.deepEqual((await ask(port, '/')).body, { error: 'token_missing' })
    paths.forEach((name) => delete Object.prototype[name])
  }
  await assert.rejects(issuer.verifier().admit({ token: '' }), { code: 'token_missing' })
})

test('options in code are laid over those of the environment, which a verifier of your own does not read', (context) => {
  const said = []
  const logger = { info: (line) => said.push(line), warn: (line) => said.push(line) }
  const set = (variables) => {
    for (const [name, value] of Object.entries(variables)) process.env[`POMERIUM_JWT_${name}`] = value
    context.after(() => Object.keys(variables).forEach((name) => delete process.env[`POMERIUM_JWT_${name}`]))
  }
  set({ ROUTE: 'https://env.example.com', REQUIRE_GROUP: '["a,b"]', JWKS_FILE: '/no/such/file', LEEWAY: '1' })

  const { verifier } = pomerium({ ...issuer.options, exemptPaths: '/health', logger })
  assert.throws(() => verifier.verifySync(issuer.token()), { code: 'group_required' })
  assert.equal(verifier.verifySync(issuer.token({ groups: ['a,b'] })).subject, 'alice')
  const [warning, summary, ...others] = said.splice(0)
  assert.match(warning, /override the environment: POMERIUM_JWT_ROUTE, POMERIUM_JWT_JWKS_FILE$/)
  assert.match(summary, /header: X-Pomerium-Jwt-Assertion; exempt_paths: \/health; require_group: "a,b"$/)
  assert.deepEqual(others, [])

  const own = issuer.verifier({ leeway: 1 })
  assert.equal(pomerium({ verifier: own, optional: undefined, leeway: undefined, logger }).verifier, own)
  const other = pomerium({ verifier: own, requireGroup: 'admins', logger }).verifier
  assert.deepEqual([other.status().requireGroup, own.status().requireGroup], [['admins'], []])
  assert.equal(said.length, 2)

  set({ REQUIRED_GROUP: 's3cret' })
  assert.throws(() => pomerium(issuer.options), { code: 'invalid_options', message: /POMERIUM_JWT_REQUIRE_GROUP/ })
})
