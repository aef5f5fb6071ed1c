// What only the plain server has; integrations.test.mjs has who gets in.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'

import { requireGroup } from 'pomerium-jwt'
import { protect } from 'pomerium-jwt/http'
import { TestIssuer } from 'pomerium-jwt/testing'

import { ask, HEADER, Issuer, listen } from './servers.mjs'

test('the identity, its claims, and its verifier', async (context) => {
  const issuer = new TestIssuer()
  const listener = protect((request, response) => {
    assert.throws(() => (request.pomerium = { subject: 'mallory' }), TypeError)
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify([request.pomerium, request.pomerium.claims.department]))
  }, issuer.options)
  const port = await listen(context, listener)
  const { body } = await ask(port, '/', issuer.headers({ sub: 'bob', groups: ['staff'], department: 'R&D' }))
  const [{ subject, email, groups }, department] = body
  assert.deepEqual([subject, email, groups, department], ['bob', 'bob@example.com', ['staff'], 'R&D'])
  assert.deepEqual(listener.verifier.health(), { configured: true, asked: true, keys_loaded: true, stale: false })
})

test('without a listener it does not start', () => {
  const { options } = new TestIssuer()
  for (const wrong of [options, undefined]) {
    assert.throws(() => protect(wrong, options), { code: 'invalid_options', message: /the listener, and then/ })
  }
})

test('what the listener demands is answered, what else it throws is not ours', async (context) => {
  const issuer = new TestIssuer()
  const faults = []
  const listener = protect(
    async ({ pomerium, url }, response) => {
      if (url === '/late') response.write('begun')
      try {
        response.end(requireGroup(pomerium, 'admins', 'a,b').subject)
      } catch (error) {
        if (url === '/late') response.end()
        if (url === '/late') return faults.push(error.code)
        throw error
      }
    },
    { ...issuer.options, optional: true, onRefused: (code) => void faults.push(code) },
  )
  const port = await listen(context, listener)
  for (const [target, claims, status, body] of [
    ['/', { groups: ['a,b'] }, 200, 'alice'],
    ['/', { groups: ['a', 'b'] }, 403, { error: 'group_required' }],
    ['/', undefined, 401, { error: 'token_missing' }],
    ['/late', { groups: ['a'] }, 200, 'begun'],
  ]) {
    const answer = await ask(port, target, claims ? issuer.headers(claims) : {})
    assert.deepEqual([answer.status, answer.body], [status, body])
  }
  assert.deepEqual(faults, ['group_required', 'token_missing', 'group_required'])
})

test('requests that wait for keys share one fetch, and a client that leaves disturbs nobody', async (context) => {
  const issuer = await Issuer.start()
  context.after(() => issuer.close())
  const token = await issuer.mint()
  const options = { route: issuer.url, timeout: 1, onRefused() {} }
  const listener = protect((request, response) => response.end(request.pomerium.subject), options)
  const port = await listen(context, listener)
  await issuer.post('/fault?kind=hang')
  const leaving = new AbortController()
  const request = { headers: { [HEADER]: token }, signal: leaving.signal }
  const gone = Array.from({ length: 20 }, () => fetch(`http://127.0.0.1:${port}/`, request))
  while (listener.verifier.status().fetches === 0) await setTimeout(10)
  leaving.abort()
  assert((await Promise.allSettled(gone)).every(({ status }) => status === 'rejected'))

  await issuer.post('/fault?kind=none')
  // The hanging fetch ends within `timeout`; the next is due when its backoff is over
  let answers
  do {
    await setTimeout(100)
    answers = await Promise.all(Array.from({ length: 20 }, () => ask(port, '/', { [HEADER]: token })))
    assert(answers.every(({ status, headers }) => status === 200 || (status === 503 && headers['retry-after'])))
  } while (answers.some(({ status }) => status === 503))
  assert(answers.every(({ body }) => body === 'alice'))
  assert.equal(listener.verifier.status().fetches, 2)
})

test('a token of hundreds of groups needs a larger limit than that of Node', async (context) => {
  const issuer = new TestIssuer()
  const groups = Array.from({ length: 1000 }, (_, index) => `00gdirectory${index}@group.example.com`)
  const listener = protect((request, response) => response.end(String(request.pomerium.groups.length)), issuer.options)
  const headers = issuer.headers({ groups })
  assert.equal((await ask(await listen(context, listener), '/', headers)).status, 431)
  const port = await listen(context, listener, { maxHeaderSize: 131_072 })
  assert.equal((await ask(port, '/', headers)).body, '1000')
})
