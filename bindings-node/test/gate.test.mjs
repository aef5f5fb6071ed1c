// Who gets in, and what the others are told: the same for Express 4 and 5, Connect and a plain http.Server.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import connect from 'connect'
import express from 'express'
import express4 from 'express4'
import { Verifier, VerifyError } from 'pomerium-jwt'
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
    const exempt = { exemptPaths: ['/healthz', '/käse'] }
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
      [{ ...admins, allowAnonymous: true }, '/', issuer.token({ sub: '' }), refused(401, 'subject_missing')],
      [{ requireGroup: 'staff' }, '/', good, passed('alice')],
      [exempt, '/healthz', undefined, passed('nobody')],
      [exempt, '/healthz?x=1', 'nonsense', passed('nobody')],
      [exempt, '/k%C3%A4se', undefined, passed('nobody')],
      [exempt, '/healthz/', undefined, refused(401, 'token_missing')],
      [exempt, '/healthz/more', undefined, refused(401, 'token_missing')],
      [exempt, '/HEALTHZ', undefined, refused(401, 'token_missing')],
      [exempt, '/%68ealthz', undefined, refused(401, 'token_missing')],
      [exempt, '//healthz', undefined, refused(401, 'token_missing')],
      [exempt, '/admin/..%2Fhealthz', undefined, refused(401, 'token_missing')],
      [exempt, '/?/healthz', undefined, refused(401, 'token_missing')],
      [exempt, 'http://127.0.0.1/healthz', undefined, refused(401, 'token_missing')],
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

  test(`${kind}: CORS preflight passes, and nothing else does`, async (context) => {
    const port = await serve(context)
    const preflight = { 'Access-Control-Request-Method': 'GET', Origin: 'https://other.example.com' }
    for (const more of [{}, issuer.headers(), { [HEADER]: 'nonsense' }]) {
      const { status, headers, body } = await ask(port, '/', { ...preflight, ...more }, 'OPTIONS')
      assert.deepEqual([status, headers['x-caller'], body], [200, 'nobody', ''])
    }
    assert.equal((await ask(port, '/', {}, 'OPTIONS')).status, 401)
    assert.equal((await ask(port, '/', preflight)).status, 401)
    const head = await ask(port, '/', {}, 'HEAD')
    assert.deepEqual([head.status, head.headers['content-type'], head.body], [401, 'application/json', ''])
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
      errorHandler: async ({ code, status, message }, request) => {
        seen.push(`${status} ${request.url} ${message.length > 0}`)
        return { contentType: 'text/html; charset=utf-8', body: `<h1>${code} ü</h1>` }
      },
      onRefused: (code, message, path) => seen.push(`${code} ${path}`),
    })
    const { status, headers, body } = await ask(port, '/path?x=1')
    assert.deepEqual([status, body], [401, '<h1>token_missing ü</h1>'])
    assert.equal(headers['content-type'], 'text/html; charset=utf-8')
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

test('the log: one line at start, one for each refusal, in which no client writes', async (context) => {
  const info = context.mock.method(console, 'info', () => {})
  const warn = context.mock.method(console, 'warn', () => {})
  const decode = (request, _, next) => next(void (request.originalUrl = decodeURI(request.url)))
  const port = await listen(context, express().use(decode).use(pomerium(issuer.options)))
  const names = 'issuer https://app.example.com, audience https://app.example.com'
  const lines = (mock) => mock.mock.calls.map(({ arguments: [line] }) => line)
  assert.deepEqual(lines(info), [`pomerium-jwt: ${names}, keys from jwks, header ${HEADER}`])

  const token = issuer.expired()
  await ask(port, '/a%0Ab%22?x=1', { [HEADER]: token })
  const [line, ...others] = lines(warn)
  assert.match(line, /^pomerium-jwt: refused "\/a\\nb\\"": token_expired: .* expired /)
  assert.deepEqual(others, [])
  assert(!line.includes(token.split('.')[2]))
})

test('a wrong configuration stops the start', () => {
  const route = 'https://app.example.com'
  const verifier = issuer.verifier()
  const table = [
    [{ route: 'app.example.com' }, /route/],
    [{ issuer: 'app.example.com' }, /audience/],
    [{ route, jwksUri: 'x' }, /write jwks_url|write jwksUrl/],
    [{ route, header: 'x' }, /"header" is unknown/],
    [{ route, header_name: 'x' }, /"header_name" is unknown/],
    [{ route, headerName: 'X Y' }, /headerName takes a name/],
    [{ route, headerName: null }, /headerName takes a name/],
    [{ route, optional: 'yes' }, /optional takes true or false/],
    [{ route, exemptPaths: ['healthz'] }, /exemptPaths takes a list/],
    [{ route, exemptPaths: [/healthz/] }, /exemptPaths takes a list/],
    [{ route, exemptPaths: ['/\ud800'] }, /exemptPaths takes a list/],
    [{ route, exemptPaths: ['/healthz?x=1'] }, /exemptPaths takes a list/],
    [{ route, requireGroup: [] }, /requireGroup takes the name/],
    [{ route, requireGroup: [1] }, /requireGroup takes the name/],
    [{ route, requireGroup: '' }, /requireGroup takes the name/],
    [{ route, onRefused: 'log' }, /onRefused takes a function/],
    [{ route, errorHandler: {} }, /errorHandler takes a function/],
    [{ verifier: { verify: () => ({}) } }, /verifier takes a Verifier/],
    [{ verifier, route, leeway: 1 }, /leave out route, leeway/],
    [{}, /audience/],
    [undefined, /audience/],
    [null, /as an object/],
    ['https://app.example.com', /as an object/],
    [Object.assign(Object.create({ expectClaims: { department: 'IT' } }), { route }), /expectClaims is inherited/],
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

test('where options come from', (context) => {
  context.mock.method(console, 'info', () => {})
  const verifier = issuer.verifier({ leeway: 1 })
  assert.equal(pomerium({ verifier, optional: true, leeway: undefined }).verifier, verifier)
  process.env.POMERIUM_JWT_ROUTE = 'https://env.example.com'
  context.after(() => delete process.env.POMERIUM_JWT_ROUTE)
  const read = pomerium({ optional: true }).verifier
  assert(read instanceof Verifier)
  assert.deepEqual(read.options, { route: ['https://env.example.com'] })
})
