// A VerifyError that a handler throws, rendered by the framework itself: the client sees the code, the log everything.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import connect from 'connect'
import express from 'express'
import express4 from 'express4'
import fastify from 'fastify'
import { TestIssuer } from 'pomerium-jwt/testing'

import { ask, HEADER, listen } from './servers.mjs'

const issuer = new TestIssuer()
const verifier = issuer.verifier()
const token = (request) => request.headers[HEADER.toLowerCase()] ?? ''

const SECRETS = /secret|another-application|app\.example\.com|audience is/

const refusals = [
  [{ [HEADER]: issuer.wrongAudience({ email: 'secret@example.com' }) }, 401, 'audience_mismatch'],
  [issuer.headers({ host: 'another-application.example.com' }), 401, 'issuer_mismatch'],
  [{}, 401, 'token_missing'],
]

for (const environment of ['development', 'production']) {
  for (const [kind, framework] of Object.entries({ 'Express 5': express, 'Express 4': express4, Connect: connect })) {
    test(`${kind} in ${environment}`, async (context) => {
      context.mock.method(console, 'error', () => {})
      const before = process.env.NODE_ENV
      process.env.NODE_ENV = environment
      context.after(() => (before === undefined ? delete process.env.NODE_ENV : (process.env.NODE_ENV = before)))
      const app = framework().use((request, response, next) => {
        verifier.verify(token(request)).then(() => response.end('in'), next)
      })
      const port = await listen(context, app)
      for (const [sent, status, code] of refusals) {
        const answer = await ask(port, '/', sent)
        assert.equal(answer.status, status)
        assert.doesNotMatch(answer.body + JSON.stringify(answer.headers), SECRETS)
        if (environment === 'development') assert(answer.body.includes(code), answer.body)
      }
    })
  }
}

test('Fastify', async (context) => {
  const app = fastify()
  context.after(() => app.close())
  app.get('/', async (request) => (await verifier.verify(token(request))).subject)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address()
  for (const [sent, status, code] of refusals) {
    const { status: got, headers, body } = await ask(port, '/', sent)
    const unauthorized = { statusCode: status, error: 'Unauthorized', code, message: code }
    assert.deepEqual([got, body], [status, unauthorized])
    assert.equal(headers['www-authenticate'], 'Bearer error="invalid_token"')
    assert.doesNotMatch(JSON.stringify(headers), SECRETS)
  }
  assert.equal((await ask(port, '/', issuer.headers())).body, 'alice')
})
