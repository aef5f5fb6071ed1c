// What is Node's own: types of arguments, waiting, memory. The rules are in conformance.test.mjs.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Verifier, VerifyError } from 'pomerium-jwt'

test('a token that is none', async () => {
  const verifier = new Verifier({ route: 'https://app.example.com' })
  await assert.rejects(verifier.verify(''), (error) => {
    assert(error instanceof VerifyError)
    assert.deepEqual(
      [error.code, error.number, error.kind, error.status, error.retryAfter],
      ['token_missing', 100, 'token', 401, undefined],
    )
    return true
  })
})
