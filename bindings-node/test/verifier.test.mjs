// What is JavaScript's own: types of arguments, frozen values, memory. The rules are in conformance.test.mjs, waiting for
// keys is in waiting.test.mjs.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { inspect } from 'node:util'

import { Identity, logoutUrl, Verifier, VerifyError } from 'pomerium-jwt'
import { TestIssuer } from 'pomerium-jwt/testing'

const ISSUER = new TestIssuer('app.example.com')
const VERIFIER = ISSUER.verifier()

const ONE_LINE = { breakLength: Infinity, compact: true, depth: 1, maxArrayLength: 1 }

/** What assert.throws and assert.rejects take. */
const refused = (code, status, part = '') => {
  return (error) => {
    assert(error instanceof VerifyError, String(error))
    assert.deepEqual([error.code, error.status], [code, status], error.reason)
    assert(error.reason.includes(part), `"${error.reason}" does not say "${part}"`)
    return true
  }
}

test("the clock is the system's", async () => {
  const identity = await VERIFIER.verify(ISSUER.token({ exp: 4_102_444_800 }))
  assert.equal(identity.subject, 'alice', 'a token of the year 2100')
  await assert.rejects(VERIFIER.verify(ISSUER.token({ iat: 0, exp: 1 })), refused('token_expired', 401))
})

test('many ways to ask, one answer', async () => {
  const token = ISSUER.token({ groups: ['admins'] })
  const shared = new Uint8Array(new SharedArrayBuffer(token.length))
  shared.set(Buffer.from(token))
  const identities = [
    await VERIFIER.verify(token),
    await VERIFIER.verify(Buffer.from(token)),
    await VERIFIER.verify(Buffer.from(`${token},${token}`).subarray(token.length + 1)),
    await VERIFIER.verify(shared),
    VERIFIER.verifySync(`Bearer ${token}`),
    VERIFIER.verifyAt(token, Math.floor(Date.now() / 1000)),
  ]
  for (const identity of identities) {
    assert(identity instanceof Identity)
    assert.deepEqual({ ...identity }, { ...identities[0] })
  }
})

for (const [title, token, code] of [
  ['an empty one', '', 'token_missing'],
  ['no bytes', new Uint8Array(), 'token_missing'],
  ['one that holds NUL', 'a\0b', 'token_malformed'],
  ['a good one and NUL', `${ISSUER.token()}\0`, 'token_malformed'],
  ['bytes that are not UTF-8', Uint8Array.of(0xff, 0xfe), 'token_malformed'],
  ['a text that is not Unicode', '\udcff.\ud800.\udfff', 'token_malformed'],
  ['a character whose low byte is a letter', ISSUER.token().replace('e', '\u0165'), 'token_malformed'],
  ['one of 131,073 bytes', 'x'.repeat(131_073), 'token_too_large'],
  ['one of 131,074 bytes and half as many characters', 'é'.repeat(65_537), 'token_too_large'],
  ['two', `${ISSUER.token()},${ISSUER.token()}`, 'token_repeated'],
  ['a forged one', `${ISSUER.token().slice(0, -6)}AAAAAA`, 'signature_invalid'],
]) {
  test(`a token that is none: ${title}`, async () => {
    await assert.rejects(VERIFIER.verify(token), refused(code, 401))
    assert.throws(() => VERIFIER.verifySync(token), refused(code, 401))
    assert.throws(() => VERIFIER.verifyAt(token, 1_800_000_000), refused(code, 401))
  })
}

for (const token of [
  undefined,
  null,
  7,
  {},
  ['token'],
  Symbol('token'),
  new ArrayBuffer(8),
  new Uint16Array(8),
  () => '',
]) {
  test(`a token of a wrong type: ${inspect(token, ONE_LINE)}`, async () => {
    const promise = VERIFIER.verify(token) // rejected, not thrown
    await assert.rejects(promise, refused('invalid_argument', 500, 'a token is'))
    assert.throws(() => VERIFIER.verifySync(token), refused('invalid_argument', 500))
    assert.throws(() => VERIFIER.verifyAt(token, 0), refused('invalid_argument', 500))
  })
}

for (const now of [undefined, null, '0', 0.5, NaN, Infinity, -1, 2 ** 53, 1e300, 0n, new Date()]) {
  test(`a time that is none: ${inspect(now)}`, () => {
    assert.throws(() => VERIFIER.verifyAt('', now), refused('invalid_argument', 500))
  })
}

test('other arguments of a wrong type', async () => {
  const identity = VERIFIER.verifySync(ISSUER.token({ groups: ['admins'] }))
  for (const call of [
    () => identity.inGroup(7),
    () => identity.inAnyGroup('admins', ['admins']),
    () => identity.inAllGroups('staff', null),
  ]) {
    assert.throws(call, refused('invalid_argument', 500))
  }
  await assert.rejects(VERIFIER.refresh({ force: 'yes' }), refused('invalid_argument', 500))
})

const ROUTE = { route: 'https://app.example.com' }
const nested = (depth) => (depth ? [nested(depth - 1)] : [])
const circular = { keys: [] }
circular.keys.push(circular)

for (const [options, part] of [
  [undefined, 'write an object'],
  [null, 'write an object'],
  ['https://app.example.com', 'write an object'],
  [new Map([['route', 'https://app.example.com']]), 'write an object'],
  [{}, 'audience'],
  [{ ...ROUTE, rout: 'x' }, '"rout" is unknown'],
  [{ ...ROUTE, jwksUri: 'x' }, 'write jwksUrl'],
  [{ ...ROUTE, jwks_url: 'x' }, '"jwks_url" is unknown: write jwksUrl'],
  [{ ...ROUTE, max_token_age: undefined, expect_claims: { department: 'IT' } }, 'write expectClaims'],
  [{ ...ROUTE, expirationBuffer: 60 }, 'write leeway'],
  [{ route: null }, 'leave the option out'],
  [{ route: new URL('https://app.example.com') }, 'route: write an object literal, not URL'],
  [{ route: new Set(['https://app.example.com']) }, 'route: write an object literal, not Set'],
  [{ route: 'https://\udcff.example.com' }, 'route does not take a string that is not well-formed'],
  [{ ...ROUTE, leeway: 1.5 }, 'leeway takes whole seconds'],
  [{ ...ROUTE, leeway: '60' }, 'leeway takes whole seconds'],
  [{ ...ROUTE, leeway: NaN }, 'leeway does not take NaN'],
  [{ ...ROUTE, leeway: 60n }, 'leeway does not take BigInt'],
  [{ ...ROUTE, leeway: new Date() }, 'leeway: write an object literal, not Date'],
  [{ ...ROUTE, allowAnonymous: 'yes' }, 'allowAnonymous takes true or false'],
  [{ ...ROUTE, allowAnonymous: () => true }, 'allowAnonymous does not take Function'],
  [{ ...ROUTE, algorithms: ['ES256', undefined] }, 'algorithms does not take Undefined'],
  [{ ...ROUTE, expectClaims: new Map([['department', 'IT']]) }, 'expectClaims: write an object literal, not Map'],
  [{ ...ROUTE, expectClaims: { department: undefined } }, 'expectClaims does not take Undefined'],
  [{ ...ROUTE, expectClaims: { department: ['IT', Symbol('x')] } }, 'expectClaims does not take Symbol'],
  [{ ...ROUTE, jwks: [] }, 'jwks takes a JWK Set'],
  [{ ...ROUTE, jwks: { keys: nested(500) } }, ''],
  [{ ...ROUTE, jwks: circular }, 'jwks is nested deeper than 64 levels'],
  [{ ...ROUTE, jwksFile: '/no/such/file' }, '/no/such/file'],
  [{ ...ROUTE, algorithms: [, 'ES256'] }, 'algorithms does not take Undefined'],
  [{ ...ROUTE, requireGroup: new String('admins') }, 'requireGroup: write an object literal, not String'],
  [Object.assign(Object.create({ maxTokenAge: 60 }), ROUTE), 'write an object literal, not an instance of a class'],
  [Object.assign(Object.create({ __proto__: null, maxTokenAge: 60 }), ROUTE), 'write an object literal'],
  [new (class Settings { route = ROUTE.route; get pinKids() { return ['none'] } })(), 'write an object literal'], // prettier-ignore
  [{ ...ROUTE, get pinKids() { return ['none'] } }, 'pinKids is not a plain member'], // prettier-ignore
  [Object.defineProperty({ ...ROUTE }, 'pinKids', { value: ['none'] }), 'pinKids is not a plain member'],
  [{ ...ROUTE, [Symbol('pinKids')]: ['none'] }, 'Symbol(pinKids) is not a plain member'],
  [{ ...ROUTE, expectClaims: Object.create({ department: 'IT' }) }, 'expectClaims: write an object literal'],
  [{ ...ROUTE, expectClaims: new (class { get department() { return 'IT' } })() }, 'expectClaims: write an object'], // prettier-ignore
  [{ ...ROUTE, expectClaims: { get department() { return 'IT' } } }, 'expectClaims: department is not a plain member'], // prettier-ignore
]) {
  test(`wrong options: ${inspect(options, ONE_LINE)}`, () => {
    assert.throws(() => new Verifier(options), refused('invalid_options', 500, part))
  })
}

test('undefined is unset, and options are read once', () => {
  const given = { ...ISSUER.options, leeway: undefined, route: [ISSUER.options.route] }
  const verifier = new Verifier(given)
  given.leeway = 'changed'
  given.route[0] = 'https://other.example.com'
  assert.equal(verifier.verifySync(ISSUER.token()).subject, 'alice')
})

test('a key file', (context) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'pomerium-jwt-'))
  context.after(() => rmSync(folder, { recursive: true }))
  const jwksFile = path.join(folder, 'jwks.json')
  writeFileSync(jwksFile, JSON.stringify(ISSUER.options.jwks))
  const verifier = new Verifier({ route: ISSUER.options.route, jwksFile, expectClaims: { department: ['R&D', 'IT'] } })
  assert.equal(verifier.verifySync(ISSUER.token({ department: 'IT' })).claims.department, 'IT')
  assert.throws(() => verifier.verifySync(ISSUER.token({ department: 'Sales' })), refused('claim_mismatch', 401))
})

test('fromEnv', (context) => {
  const before = { ...process.env }
  context.after(() => Object.assign(process.env, before))
  for (const name of Object.keys(process.env).filter((name) => name.startsWith('POMERIUM_JWT_')))
    delete process.env[name]
  context.after(() => {
    for (const name of ['ROUTE', 'JWKS', 'PORT', 'LEEWAY', 'EXPECT_CLAIMS']) delete process.env[`POMERIUM_JWT_${name}`]
  })

  assert.throws(() => Verifier.fromEnv(), refused('invalid_options', 500, 'audience'))
  process.env.POMERIUM_JWT_ROUTE = ISSUER.options.route
  process.env.POMERIUM_JWT_JWKS = JSON.stringify(ISSUER.options.jwks)
  process.env.POMERIUM_JWT_PORT = 'tcp://10.0.0.1:80' // what Kubernetes injects
  process.env.POMERIUM_JWT_EXPECT_CLAIMS = '{"cost_center":"7"}'
  const verifier = Verifier.fromEnv()
  assert.equal(verifier.verifySync(ISSUER.token({ cost_center: '7' })).email, 'alice@example.com')
  assert.throws(() => verifier.verifySync(ISSUER.token({ cost_center: '8' })), refused('claim_mismatch', 401))
  process.env.POMERIUM_JWT_LEEWAY = 'a minute'
  assert.throws(() => Verifier.fromEnv(), refused('invalid_options', 500, 'POMERIUM_JWT_LEEWAY'))
  delete process.env.POMERIUM_JWT_LEEWAY
  process.env.POMERIUM_JWT_REQUIRED_GROUP = 's3cret'
  context.after(() => delete process.env.POMERIUM_JWT_REQUIRED_GROUP)
  assert.throws(() => Verifier.fromEnv(), refused('invalid_options', 500, 'write POMERIUM_JWT_REQUIRE_GROUP'))
})

test('an identity', () => {
  const token = ISSUER.token({ groups: ['admins', 'staff'], exp: 4_102_444_800, city: 'Zürich\nSüd' })
  const identity = VERIFIER.verifySync(token)
  assert.deepEqual([identity.subject, identity.email, identity.name], ['alice', 'alice@example.com', 'Alice'])
  assert.deepEqual(identity.groups, ['admins', 'staff'])
  assert.deepEqual([identity.isUser, identity.anonymous, identity.sessionId], [true, false, null])
  assert.equal(identity.expiresAtDate.toISOString(), '2100-01-01T00:00:00.000Z')
  assert.equal(identity.claims.city, 'Zürich\nSüd')
  assert.equal(identity.claims, identity.claims, 'decoded once')
  assert.deepEqual(JSON.parse(identity.claimsText), identity.claims)

  assert.deepEqual([identity.inGroup('staff'), identity.inGroup('dev')], [true, false])
  assert.deepEqual(
    [identity.inAnyGroup('dev', 'staff'), identity.inAnyGroup('dev'), identity.inAnyGroup()],
    [true, false, false],
  )
  assert.deepEqual([identity.inAllGroups('admins', 'staff'), identity.inAllGroups('dev', 'staff')], [true, false])
})

test('an identity is frozen, and shows no personal data unless it is asked to', () => {
  const identity = VERIFIER.verifySync(ISSUER.token({ groups: ['admins'], department: 'IT' }))
  for (const change of [
    () => (identity.subject = 'mallory'),
    () => (identity.anything = 'mallory'),
    () => (identity.claims = {}),
    () => identity.groups.push('root'),
    () => identity.audience.pop(),
  ]) {
    assert.throws(change, TypeError)
  }
  for (const shown of [
    inspect(identity),
    inspect({ user: identity }, { depth: 9, showHidden: true }),
    String(identity),
  ]) {
    assert(!/alice|admins|IT/.test(shown), shown)
  }
  const json = JSON.parse(JSON.stringify(identity))
  assert.deepEqual([json.subject, json.session_id, json.expires_at], ['alice', null, identity.expiresAt])
  assert.equal(json.claims, undefined)
})

test('times beyond the last Date become it', () => {
  const identity = VERIFIER.verifySync(ISSUER.token({ exp: 2 ** 53 - 1 }))
  assert.equal(identity.expiresAt, 2 ** 53 - 1)
  assert.equal(identity.expiresAtDate.getTime(), 8.64e15)
})

test('status and health', async () => {
  const verifier = ISSUER.verifier()
  await verifier.verify(ISSUER.token())
  const status = verifier.status()
  assert.deepEqual([status.source, status.state, status.ttl], ['jwks', 'static', null])
  assert.deepEqual([status.counts.ok, status.counts.passed, status.counts.group_required], [1, 0, 0])
  assert.match(status.summary, /^accepts issuer and audience /)
  assert.deepEqual([status.headerName, status.optional], ['X-Pomerium-Jwt-Assertion', false])
  assert.deepEqual([status.exemptPaths, status.requireGroup], [[], []])
  assert.equal(status.keys[0].usable, true)
  const health = { configured: true, asked: true, keys_loaded: true, stale: false }
  assert.deepEqual([verifier.health(), status.health], [health, health])
  assert.equal(verifier.summary, status.summary)
  assert.match(verifier.metrics(), /^pomerium_jwt_verifications_total\{code="ok"\} 1$/m)
  assert.match(verifier.metrics(), /# EOF\n$/)
  await verifier.refresh()
  await verifier.refresh({ force: true })
})

test('keys_unavailable says when to come again', async () => {
  const verifier = new Verifier({ route: 'http://127.0.0.1:9' }) // the discard port: nobody listens
  for (let attempt = 0; attempt < 2; attempt++) {
    await assert.rejects(verifier.verify(ISSUER.token()), (error) => {
      assert(error.retryAfter >= 1)
      return refused('keys_unavailable', 503)(error)
    })
  }
  assert.deepEqual(verifier.health(), { configured: true, asked: true, keys_loaded: false, stale: false })
  assert.equal(verifier.status().lastError.code, 'connect')
  await assert.rejects(verifier.refresh({ force: true }), refused('keys_unavailable', 503))
})

test('what an error shows: all of it to the log, the code to anybody else', () => {
  const error = thrown(() => VERIFIER.verifySync(ISSUER.wrongAudience()))
  assert(error.reason.includes('another-application.example.com'), error.reason)
  assert(inspect(error).includes(error.reason))
  for (const shown of [error.message, String(error), error.stack, JSON.stringify({ error }), error.body]) {
    assert(!shown.includes('example.com'), shown)
  }
  const { 'WWW-Authenticate': challenge, ...headers } = error.headers
  assert.deepEqual(headers, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' })
  assert.equal(challenge, 'Bearer error="invalid_token"')
  const wrong = thrown(() => new Verifier({}))
  assert.equal(wrong.message, wrong.reason, 'the sentence, if it is the developer who has to read it')
})

function thrown(call) {
  try {
    call()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

test('messages are in the words of JavaScript, but for what they quote', () => {
  const message = (options) => thrown(() => new Verifier(options)).reason
  assert.match(message({ ...ROUTE, refetchCooldown: -1 }), /^refetchCooldown takes/)
  assert.match(message({ ...ROUTE, maxTokenAge: 'x' }), /^maxTokenAge takes/)
  assert.match(message({ issuer: 'a.example.com' }), /audience/)
  assert.match(message({ ...ROUTE, optional: true, requireGroup: 'a' }), /^optional and requireGroup contradict/)
  const { reason } = thrown(() => ISSUER.verifier({ requireGroup: 'pin_kids' }).verifySync(ISSUER.token()))
  assert.match(reason, /requireGroup demands: "pin_kids"/)
})

test('with: other request options over the same keys and counts', async () => {
  const base = ISSUER.verifier({ exemptPaths: '/health' })
  const admins = base.with({ requireGroup: 'admins' })
  const token = ISSUER.token()
  assert.equal((await base.admit({ token })).subject, 'alice')
  await assert.rejects(admins.admit({ token }), refused('group_required', 403))
  assert.equal(await admins.admit({ token: '', path: '/health' }), undefined)
  assert.deepEqual(admins.status().counts, base.status().counts)
  assert.deepEqual([base.status().counts.ok, base.status().counts.passed], [1, 1])
  assert.throws(() => base.with({ leeway: 1 }), refused('invalid_options', 500, 'leeway'))
  assert.throws(() => base.with(Object.create({ requireGroup: 'a' })), refused('invalid_options', 500))
})

test('admit takes facts of the right types', async () => {
  for (const facts of [
    {},
    { token: 7 },
    { token: '', path: 7 },
    { token: '', upgrade: 1 },
    { token: '', markedPublic: '' },
  ]) {
    await assert.rejects(VERIFIER.admit(facts), refused('invalid_argument', 500), JSON.stringify(facts))
  }
})

for (const [returnTo, expected] of [
  [undefined, '/.pomerium/sign_out'],
  [
    'https://app.example.com/a b?x=1&y=ü#top',
    '/.pomerium/sign_out?pomerium_redirect_uri=https%3A%2F%2Fapp.example.com%2Fa%20b%3Fx%3D1%26y%3D%C3%BC%23top',
  ],
]) {
  test(`logoutUrl(${inspect(returnTo)})`, () => assert.equal(logoutUrl(returnTo), expected))
}

test('memory stays flat', async () => {
  const rounds = Number(process.env.SOAK_ROUNDS ?? 100_000)
  const verifier = ISSUER.verifier()
  const good = ISSUER.token({ groups: ['admins'] })
  const bad = ISSUER.expired()

  const go = async (count) => {
    for (let number = 0; number < count; number++) {
      const identity = number % 2 ? verifier.verifySync(good) : await verifier.verify(good)
      if (!identity.email || !identity.groups.length) throw new Error('a member is missing')
      if (number % 10 === 0 && (!identity.claims.email || !verifier.status().counts))
        throw new Error('a claim is missing')
      try {
        verifier.verifySync(bad)
      } catch (error) {
        if (error.code === 'token_expired') continue
        throw error
      }
      throw new Error('an expired token was accepted')
    }
  }

  await go(rounds / 10)
  const before = native()
  await go(rounds)
  const grown = native() - before
  console.log(`memory: ${rounds} rounds, ${grown} bytes more`)
  // A leak of 64 bytes a round is 6.4 MB
  assert(grown < 4 << 20, `${rounds} rounds grew the process by ${grown} bytes, without JavaScript's own heap`)
})

/** Resident memory without what V8 keeps for its heap, which grows and shrinks as it likes. */
function native() {
  const { rss, heapTotal } = process.memoryUsage()
  return rss - heapTotal
}
