// The official package's interface, and the results that differ on purpose.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'

import { VerifyError } from 'pomerium-jwt'
import { TestIssuer } from 'pomerium-jwt/testing'
import { getJWKsData, parseJWT, PomeriumVerifier, signOut, verifyPomeriumJWT, withHttps } from 'pomerium-jwt/js-sdk'

import { ask, HEADER, Issuer, project, run } from './servers.mjs'

const HOST = '127.0.0.1'
const issuer = await Issuer.start()
const jwksUrl = `${issuer.url}/.well-known/pomerium/jwks.json`
// Verifiers that are configured alike share what they trust: each test has an address of its own
let number = 0
const ownUrl = () => `${jwksUrl}?${number++}`
const fetches = async () => JSON.parse(await (await fetch(`${issuer.url}/stats`)).text()).fetches

test.after(() => issuer.close())

test('verifyJwt gives payload and protectedHeader', async () => {
  const verifier = new PomeriumVerifier({ issuer: HOST, audience: HOST, expirationBuffer: 20, jwksUrl: ownUrl() })
  assert.deepEqual([verifier.issuer, verifier.audience, verifier.expirationBuffer], [HOST, [HOST], 20])
  assert.deepEqual(
    [verifier.firstUse, verifier.isLoggedIn(), verifier.jwtData, verifier.verifiedJwtData],
    [true, false, {}, {}],
  )
  const token = await issuer.mint({ email: 'alice@example.com', groups: 'a,b', department: 'R&D' })
  for (const text of [token, `Bearer ${token}`]) {
    const { payload, protectedHeader } = await verifier.verifyJwt(text)
    assert.deepEqual(payload, parseJWT(token))
    assert.deepEqual([payload.aud, payload.groups, payload.department], [HOST, ['a', 'b'], 'R&D'])
    assert.deepEqual({ ...protectedHeader, kid: '' }, { alg: 'ES256', typ: 'JWT', kid: '' })
    payload.mine = 1
  }
  assert.deepEqual([verifier.firstUse, verifier.isLoggedIn(), verifier.jwtData.sub], [false, true, 'alice'])
  assert.throws(() => (verifier.issuer = 'other'), TypeError)
})

test('refusals have the official messages if there are any, and our codes', async () => {
  const config = { issuer: HOST, audience: [HOST, 'b.example.com'], jwksUrl: ownUrl() }
  const table = [
    [{ host: 'other.example.com' }, 'issuer_mismatch', /^JWT was not issued by the correct authority: 127\.0\.0\.1$/],
    [
      { aud: 'x' },
      'audience_mismatch',
      /^The audience did not match expected value\(s\): 127\.0\.0\.1, b\.example\.com$/,
    ],
    [{ expires_in: '-100' }, 'token_expired', /^The jwt is expired!$/],
    [{ sub: '' }, 'subject_missing', /./],
  ]
  const verifier = new PomeriumVerifier(config)
  for (const [claims, code, message] of table) {
    await assert.rejects(verifier.verifyJwt(await issuer.mint(claims)), (error) => {
      assert(error instanceof VerifyError && error instanceof Error)
      assert.deepEqual([error.code, error.status], [code, 401])
      assert.match(error.message, message)
      return true
    })
  }
  await assert.rejects(
    verifier.verifyJwt(await issuer.mint({ aud: 'x' })),
    ({ cause, reason }) => /"x"/.test(cause.reason) && cause.reason === reason,
  )
  for (const [token, code] of [
    [undefined, 'token_missing'],
    ['', 'token_missing'],
    ['x.y.z', 'token_malformed'],
    [1, 'invalid_argument'],
    [Buffer.from('x.y.z'), 'invalid_argument'],
    [null, 'invalid_argument'],
  ]) {
    await assert.rejects(verifier.verifyJwt(token), { name: 'VerifyError', code })
  }
  assert.deepEqual(
    [verifier.firstUse, verifier.jwtData, verifier.isLoggedIn()],
    [true, {}, false],
    'nothing has verified',
  )
})

test('trust on first use pins what verified, and nothing else', async () => {
  const config = { jwksUrl: ownUrl() }
  const [verifier, early] = [new PomeriumVerifier(config), new PomeriumVerifier(config)]
  const [foreign, first, other] = [
    await issuer.mint({ iss: 'evil.example.com', expires_in: '-1000' }),
    await issuer.mint(),
    await issuer.mint({ host: 'other.example.com' }),
  ]
  const claims = Buffer.from('{"iss":"evil","aud":"evil","exp":4000000000}').toString('base64url')
  const unsigned = `${first.split('.')[0]}.${claims}.AAAA`
  for (const token of [foreign, unsigned, '']) await assert.rejects(verifier.verifyJwt(token))
  assert.deepEqual([verifier.firstUse, verifier.issuer, verifier.audience], [true, '', []])

  assert.equal((await verifier.verifyJwt(first)).payload.sub, 'alice')
  assert.deepEqual([verifier.firstUse, verifier.issuer, verifier.audience], [false, HOST, [HOST]])
  const refused = { code: 'issuer_mismatch', message: `JWT was not issued by the correct authority: ${HOST}` }
  await assert.rejects(verifier.verifyJwt(other), refused)

  await assert.rejects(early.verifyJwt(other), refused)
  const another = new PomeriumVerifier(config)
  assert.deepEqual([another.issuer, another.audience], [HOST, [HOST]], 'one for each request does not trust again')
  await assert.rejects(another.verifyJwt(other), refused)
})

test('only what is not configured is trusted on first use', async () => {
  const verifier = new PomeriumVerifier({ issuer: HOST, jwksUrl: ownUrl() })
  await assert.rejects(verifier.verifyJwt(await issuer.mint({ iss: 'x.example.com' })), { code: 'issuer_mismatch' })
  await verifier.verifyJwt(await issuer.mint({ aud: 'a.example.com' }))
  assert.deepEqual(verifier.audience, ['a.example.com'])
  const message = 'The audience did not match expected value(s): a.example.com'
  await assert.rejects(verifier.verifyJwt(await issuer.mint()), { code: 'audience_mismatch', message })
})

test('concurrent requests get their own results, and keys are fetched once', async () => {
  const config = { issuer: HOST, audience: HOST, jwksUrl: ownUrl() }
  const tokens = await Promise.all(Array.from({ length: 50 }, (_, index) => issuer.mint({ sub: `user-${index}` })))
  const before = await fetches()
  const results = await Promise.all(tokens.map((token) => new PomeriumVerifier(config).verifyJwt(token)))
  assert.deepEqual(
    results.map(({ payload }) => payload.sub),
    tokens.map((_, index) => `user-${index}`),
  )
  assert.equal(await fetches(), before + 1)
})

test('expirationBuffer is a leeway in seconds', async () => {
  const verify = async (expirationBuffer, expires_in) => {
    const verifier = new PomeriumVerifier({
      issuer: HOST,
      audience: HOST,
      expirationBuffer,
      jwksUrl: `${jwksUrl}?buffer`,
    })
    return (await verifier.verifyJwt(await issuer.mint({ expires_in }))).payload.sub
  }
  const table = [
    [undefined, '-30', true],
    [undefined, '-100', false],
    [0, '-1', false],
    [200, '-100', true],
    [200, '-300', false],
    [-100, '300', true],
    [-1000, '300', false],
  ]
  for (const [buffer, expiresIn, accepted] of table) {
    const what = `expirationBuffer ${buffer}, expires in ${expiresIn} s`
    if (accepted) assert.equal(await verify(buffer, expiresIn), 'alice', what)
    else
      await assert.rejects(verify(buffer, expiresIn), { message: 'The jwt is expired!', code: 'token_expired' }, what)
  }
})

test('options of the Verifier go with it', async () => {
  const { options } = new TestIssuer(HOST)
  const own = new TestIssuer(HOST)
  const config = { issuer: HOST, audience: HOST, jwks: own.options.jwks, maxTokenAge: 60 }
  assert.equal((await new PomeriumVerifier(config).verifyJwt(own.token())).payload.sub, 'alice')
  await assert.rejects(new PomeriumVerifier(config).verifyJwt(own.token({ iat: 0 })), { code: 'token_too_old' })
  const other = new PomeriumVerifier({ ...config, jwks: options.jwks })
  await assert.rejects(other.verifyJwt(own.token()), { code: 'key_not_found' })
})

test('what only looks alike as JSON is not configured alike', () => {
  const config = { issuer: HOST, audience: HOST, jwksUrl: ownUrl(), expectClaims: {} }
  new PomeriumVerifier(config)
  const looksEmpty = [
    ...[{ department: undefined }, new Map([['department', 'IT']]), { department: () => 'IT' }],
    ...[Object.create({ department: 'IT' }), new (class { get department() { return 'IT' } })()], // prettier-ignore
  ]
  for (const expectClaims of looksEmpty) {
    assert.throws(() => new PomeriumVerifier({ ...config, expectClaims }), { code: 'invalid_options' })
  }
})

test('a buffer of more than five minutes is warned of once', async () => {
  const warnings = []
  process.on('warning', ({ code, message }) => warnings.push(`${code}: ${message}`))
  const make = (expirationBuffer) => new PomeriumVerifier({ issuer: HOST, audience: HOST, expirationBuffer })
  for (const buffer of [300, 1000, 1000, 3600]) make(buffer)
  await new Promise(setImmediate)
  assert.equal(warnings.length, 1)
  assert.match(warnings[0], /^POMERIUM_JWT_EXPIRATION_BUFFER: expirationBuffer is in seconds: 1000 accepts/)
})

test('the literal of the official page: what is empty is left out', async () => {
  const url = ownUrl()
  for (const literal of [
    { issuer: '', audience: '', expirationBuffer: 1000 },
    { issuer: '', audience: [], expirationBuffer: 1000 },
    { issuer: '', audience: [''] },
  ]) {
    const verifier = new PomeriumVerifier({ ...literal, jwksUrl: url })
    assert.equal((await verifier.verifyJwt(await issuer.mint())).payload.sub, 'alice')
    assert.deepEqual([verifier.issuer, verifier.audience], [HOST, [HOST]])
  }
  assert.throws(() => new PomeriumVerifier({ issuer: '', audience: '' }), { code: 'invalid_options' })
})

const inheriting = (inherited, own) => Object.assign(Object.create(inherited), own)

test('a wrong configuration stops the start', () => {
  assert.throws(() => new PomeriumVerifier(), TypeError)
  const table = [
    [{}, /add jwksUrl, or issuer: keys are not fetched/],
    [{ audience: HOST }, /add jwksUrl, or issuer/],
    [{ issuer: HOST, audience: HOST, jwksUri: jwksUrl }, /write jwksUrl/],
    [{ issuer: HOST, audience: HOST, jwksUrl, jwks: { keys: [] } }, /jwks/],
    [{ issuer: HOST, audience: HOST, expirationBuffer: 3601 }, /leeway/],
    [{ issuer: HOST, audience: HOST, expirationBuffer: 0.5 }, /expirationBuffer takes whole seconds/],
    [{ issuer: HOST, audience: HOST, expirationBuffer: -0.5 }, /expirationBuffer takes whole seconds/],
    [{ issuer: HOST, audience: HOST, expirationBuffer: '20' }, /expirationBuffer takes whole seconds/],
    [{ issuer: HOST, audience: HOST, expirationBuffer: NaN }, /expirationBuffer takes whole seconds/],
    [inheriting({ expectClaims: { department: 'IT' } }, { issuer: HOST, audience: HOST }), /write an object literal/],
    [{ issuer: HOST, audience: HOST, jwksUrl: 'other.example.com' }, /jwksUrl/],
  ]
  for (const [config, part] of table) {
    const isOurs = (error) => error.code === 'invalid_options' && part.test(error.message)
    assert.throws(() => new PomeriumVerifier(config), isOurs, JSON.stringify(config))
  }
})

test('configurations that are made of requests come to an end', () => {
  const program = `
    const { PomeriumVerifier } = require('pomerium-jwt/js-sdk')
    for (let i = 0; i < 64; i++) new PomeriumVerifier({ issuer: 'a', audience: String(i) })
    new PomeriumVerifier({ issuer: 'a', audience: '0' })
    try { new PomeriumVerifier({ issuer: 'a', audience: '64' }) } catch ({ code }) { console.log(code) }
  `
  const options = { cwd: import.meta.dirname, encoding: 'utf8' }
  assert.equal(execFileSync(process.execPath, ['-e', program], options), 'invalid_options\n')
})

test('verifyPomeriumJWT', async () => {
  const token = await issuer.mint({ email: 'alice@example.com' })
  const before = await fetches()
  for (const base of [issuer.url, `${issuer.url}/`]) {
    const { payload, protectedHeader } = await verifyPomeriumJWT(token, base, HOST, [HOST])
    assert.deepEqual([payload.email, protectedHeader.alg], ['alice@example.com', 'ES256'])
  }
  assert.equal(await fetches(), before + 1, 'the keys are kept')
  const refusals = [
    [token, 'other.example.com', HOST, 'issuer_mismatch'],
    [token, HOST, 'other.example.com', 'audience_mismatch'],
    [token, '', HOST, 'invalid_options'],
    [token, HOST, [], 'invalid_options'],
    [token, HOST, undefined, 'invalid_options'],
    [undefined, HOST, HOST, 'token_missing'],
  ]
  for (const [jwt, iss, aud, code] of refusals) {
    await assert.rejects(verifyPomeriumJWT(jwt, issuer.url, iss, aud), { name: 'VerifyError', code }, `${iss} ${aud}`)
  }
})

test('parseJWT, getJWKsData, signOut, withHttps', async () => {
  assert.equal(parseJWT(await issuer.mint({ sub: 'bob' })).sub, 'bob')
  const [two, five] = ['a.e30', 'a.e30.b.c.d']
  for (const wrong of ['', 'x', 'x.y.z', 'a.W10.b', 'a.bnVsbA.b', two, five]) {
    assert.throws(() => parseJWT(wrong), { name: 'VerifyError', code: 'token_malformed' }, wrong)
  }
  assert.deepEqual(parseJWT('a.e30.b'), {})
  const hint = { code: 'invalid_argument', reason: /Uint8Array.*write Buffer\.from\(token\)\.toString\(\)$/ }
  assert.throws(() => parseJWT(Buffer.from('a.e30.b')), hint)
  const { keys } = await getJWKsData(issuer.url)
  assert.deepEqual([keys.length, keys[0].kty], [1, 'EC'])
  await issuer.post('/fault?kind=500')
  await assert.rejects(getJWKsData(issuer.url), /status 500/)
  await issuer.post('/fault?kind=none')
  assert.equal(signOut(), '/.pomerium/sign_out')
  assert.equal(
    signOut('https://a.example.com/?b=c'),
    '/.pomerium/sign_out?pomerium_redirect_uri=https%3A%2F%2Fa.example.com%2F%3Fb%3Dc',
  )
  const addresses = ['a.example.com', 'https://a.example.com', 'http://a.example.com', 'HTTPS://a.example.com']
  assert.deepEqual(addresses.map(withHttps), ['https://a.example.com', ...addresses.slice(1)])
})

test('a server written against the official interface, with another import and jwksUrl', async (context) => {
  const file = path.join(project('express'), 'app.mjs')
  const program = readFileSync(path.join(import.meta.dirname, 'programs', 'official-app.mjs'), 'utf8')
    .replace("'@pomerium/js-sdk'", "'pomerium-jwt/js-sdk'")
    .replaceAll('new PomeriumVerifier({ ', 'new PomeriumVerifier({ jwksUrl: process.env.JWKS_URL, ')
  writeFileSync(file, program)
  const environment = { JWKS_URL: jwksUrl, POMERIUM_HOST: HOST, POMERIUM_URL: issuer.url }
  const { port, log } = await run(context, file, environment)
  assert(port, log)

  const token = await issuer.mint({ email: 'alice@example.com' })
  const get = async (page, token) => (await ask(port, page, token === undefined ? {} : { [HEADER]: token })).body
  assert.deepEqual(await get('/', token), { email: 'alice@example.com', alg: 'ES256' })
  assert.deepEqual(await get('/', await issuer.mint({ expires_in: '-100' })), { message: 'The jwt is expired!' })
  assert.match((await get('/')).message, /./)
  const { sub, loggedIn } = await get('/first-use', token)
  assert.deepEqual([sub, loggedIn], ['alice', true])
  const messages = {
    '/wrong-audience': 'The audience did not match expected value(s): correct-audience.example.com',
    '/wrong-issuer': 'JWT was not issued by the correct authority: correct-issuer.example.com',
    '/expired': 'The jwt is expired!',
  }
  for (const [page, message] of Object.entries(messages)) assert.deepEqual(await get(page, token), { message })
  const functions = { verified: 'alice', parsed: 'alice', url: 'https://app.example.com', out: 'function' }
  assert.deepEqual(await get('/functions', token), functions)
})
