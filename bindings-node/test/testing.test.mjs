// What applications test with: TestIssuer, and the test runners that they use it under.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'

import { VerifyError } from 'pomerium-jwt'
import { TestIssuer } from 'pomerium-jwt/testing'

import { environment, project } from './servers.mjs'

test('tokens are verified as in production', async () => {
  const issuer = new TestIssuer('mine.example.com')
  const claims = { sub: 'bob', groups: ['admins'], department: 'R&D' }
  const identity = await issuer.verifier().verify(issuer.token(claims))
  assert.deepEqual([identity.subject, identity.email, identity.name], ['bob', 'bob@example.com', 'Bob'])
  assert.deepEqual([identity.groups, identity.claims.department], [['admins'], 'R&D'])
  assert.deepEqual([identity.issuer, identity.audience], ['mine.example.com', ['mine.example.com']])
  assert.equal(identity.expiresAt - identity.issuedAt, 300)
})

test('tokens that are refused', () => {
  const issuer = new TestIssuer()
  const table = [
    [issuer.expired(), 'token_expired'],
    [issuer.expired({ sub: 'bob', iat: 0 }), 'token_expired'],
    [issuer.token({ expiresIn: -100 }), 'token_expired'],
    [issuer.wrongAudience(), 'audience_mismatch'],
    [issuer.wrongAudience({ sub: 'bob' }), 'audience_mismatch'],
    [issuer.token({ sub: '' }), 'subject_missing'],
    [issuer.token({ without: ['exp'] }), 'claims_malformed'],
    [issuer.token({ host: 'another.example.com' }), 'issuer_mismatch'],
    [new TestIssuer().token(), 'key_not_found'],
  ]
  for (const [token, code] of table) {
    assert.throws(() => issuer.verifier().verifySync(token), { name: 'VerifyError', code })
  }
})

test('claims that cannot be', () => {
  for (const claims of [{ expiresIn: 'soon' }, { host: 1 }, { without: 'exp' }]) {
    const isOurs = (error) => error instanceof VerifyError && error.code === 'invalid_argument'
    assert.throws(() => new TestIssuer().token(claims), isOurs, JSON.stringify(claims))
  }
})

test('headers and options', () => {
  const issuer = new TestIssuer()
  const [[name, token]] = Object.entries(issuer.headers({ sub: 'bob' }))
  assert.deepEqual([name, issuer.verifier().verifySync(token).subject], ['X-Pomerium-Jwt-Assertion', 'bob'])
  assert.deepEqual(Object.keys(issuer.options), ['route', 'jwks'])
  const old = issuer.token({ iat: 0 })
  assert.throws(() => issuer.verifier({ maxTokenAge: 60 }).verifySync(old), { code: 'token_too_old' })
})

const REQUIRE = "const { TestIssuer } = require('pomerium-jwt/testing')"
const RUNNERS = {
  'node:test': { file: 'app.test.cjs', head: `const { test } = require('node:test'); ${REQUIRE}`, command: ['--test'] },
  jest: { file: 'app.test.js', head: REQUIRE, command: ['node_modules/jest/bin/jest.js', '--ci'] },
  vitest: {
    file: 'app.test.mjs',
    head: "import { test } from 'vitest'; import { TestIssuer } from 'pomerium-jwt/testing'",
    command: ['node_modules/vitest/vitest.mjs', 'run'],
  },
}

for (const [runner, { file, head, command }] of Object.entries(RUNNERS)) {
  test(`under ${runner}, in a project of its own`, () => {
    const folder = project('jest', 'vitest')
    writeFileSync(path.join(folder, 'package.json'), '{"private": true}')
    const run = (subject) => {
      writeFileSync(path.join(folder, file), head + applicationTest(subject))
      return spawnSync(process.execPath, command, { cwd: folder, env: environment({}), encoding: 'utf8' })
    }
    const right = run('alice')
    assert.equal(right.status, 0, right.stdout + right.stderr)
    assert.notEqual(run('bob').status, 0, 'a test that fails')
  })
}

function applicationTest(subject) {
  return `
    test('admins only', async () => {
      const issuer = new TestIssuer()
      const verifier = issuer.verifier()
      const identity = await verifier.verify(issuer.token({ groups: ['admins'] }))
      if (identity.subject !== '${subject}' || !identity.inGroup('admins')) throw new Error(identity.subject)
      const bytes = new TextEncoder().encode(issuer.token())
      if ((await verifier.verify(bytes)).subject !== 'alice') throw new Error('bytes are tokens too')
      let code
      await verifier.verify(issuer.expired()).catch((error) => (code = error.code))
      if (code !== 'token_expired') throw new Error(String(code))
    })
  `
}
