// The middlewares that users put before and after pomerium(), in both orders: what is refused stays refused, whole, and
// what gets in works as without them.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get } from 'node:http'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'

import compression from 'compression'
import connect from 'connect'
import cors from 'cors'
import express from 'express'
import express4 from 'express4'
import session from 'express-session'
import methodOverride from 'method-override'
import { pomerium } from 'pomerium-jwt/express'
import { TestIssuer } from 'pomerium-jwt/testing'

import { ask, HEADER, listen } from './servers.mjs'

const issuer = new TestIssuer()
const ORIGIN = 'https://other.example.com'
const LONG = 'x'.repeat(10_000)

const middlewares = {
  none: () => (request, response, next) => next(),
  compression: () => compression(),
  cors: () => cors({ origin: ORIGIN, methods: 'DELETE', allowedHeaders: 'Authorization' }),
  session: () => session({ secret: 'keyboard cat', resave: false, saveUninitialized: true }),
  override: () => methodOverride('X-HTTP-Method-Override', { methods: null }),
}

/** Their application: `reached` is what got to a handler, by which method. */
function application(kind, name, order, options) {
  const reached = []
  const protect = pomerium({ ...issuer.options, exemptPaths: '/health', onRefused() {}, ...options })
  const stack = [middlewares[name](), protect]
  const app = { 'Express 5': express, 'Express 4': express4, Connect: connect }[kind]()
  for (const middleware of order === 'before' ? stack : stack.reverse()) app.use(middleware)
  app.use((request, response) => {
    reached.push(request.method)
    response.setHeader('Content-Type', 'text/plain')
    response.end(request.pomerium ? request.pomerium.subject + LONG : 'nobody')
  })
  return { app, reached }
}

const text = ({ body }) => (typeof body === 'string' ? body : JSON.stringify(body))

for (const kind of ['Express 5', 'Express 4', 'Connect']) {
  for (const name of Object.keys(middlewares)) {
    for (const order of ['before', 'after']) {
      test(`${kind}: ${name} ${order} pomerium()`, async (context) => {
        const { app, reached } = application(kind, name, order)
        const port = await listen(context, app)
        const answersPreflights = name === 'cors' && order === 'before'
        const preflight = { Origin: ORIGIN, 'Access-Control-Request-Method': 'DELETE' }
        const everything = { 'Accept-Encoding': 'gzip', 'X-HTTP-Method-Override': 'DELETE' }

        for (const headers of [{}, everything, { [HEADER]: 'x' }, { Upgrade: 'websocket', Connection: 'Upgrade' }]) {
          for (const method of ['GET', 'POST', 'PUT', 'HEAD', 'OPTIONS']) {
            const path = headers.Upgrade ? '/health' : '/'
            const preflights = name === 'cors' && order === 'before' && method === 'OPTIONS'
            const { status, body } = await ask(port, path, { Origin: ORIGIN, ...headers }, method)
            assert.equal(status, preflights ? 204 : 401, `${method} ${JSON.stringify(headers)}`)
            if (method !== 'HEAD' && !preflights) assert.match(body.error, /^token_/)
          }
        }
        for (const method of ['OPTIONS', 'GET', 'POST']) {
          const { status, headers } = await ask(port, '/', { ...preflight, ...everything }, method)
          assert.equal(status, answersPreflights && method === 'OPTIONS' ? 204 : 401)
          if (answersPreflights) assert.equal(headers['access-control-allow-origin'], ORIGIN, method)
          if (answersPreflights && method === 'OPTIONS') assert.equal(headers['access-control-allow-methods'], 'DELETE')
        }
        assert.deepEqual(reached, [], 'nobody has reached a handler')

        const alice = { Origin: ORIGIN, ...issuer.headers() }
        const answers = await Promise.all(Array.from({ length: 20 }, () => ask(port, '/', alice)))
        for (const answer of answers) assert.deepEqual([answer.status, text(answer)], [200, `alice${LONG}`])
        const response = await fetch(`http://127.0.0.1:${port}/`, { headers: alice })
        assert.equal(await response.text(), `alice${LONG}`)
        const exempt = await ask(port, '/health', { Origin: ORIGIN, 'Accept-Encoding': 'gzip' })
        assert.deepEqual([exempt.status, text(exempt)], [200, 'nobody'])
        assert.equal((await ask(port, '/')).status, 401, 'the process lives')
        if (name === 'override') {
          reached.length = 0
          await ask(port, '/', { ...alice, 'X-HTTP-Method-Override': 'DELETE' }, 'POST')
          assert.deepEqual(reached, ['DELETE'])
        }
      })
    }
  }
}

test('compression before pomerium() compresses what gets in', async (context) => {
  const port = await listen(context, application('Express 5', 'compression', 'before').app)
  const headers = { ...issuer.headers(), 'Accept-Encoding': 'gzip' }
  const [response] = await once(get({ port, host: '127.0.0.1', headers }), 'response')
  assert.equal(response.headers['content-encoding'], 'gzip')
  assert.equal(gunzipSync(Buffer.concat(await response.toArray())).toString(), `alice${LONG}`)
})

test('a long page of an errorHandler is compressed, and is what it was', async (context) => {
  const errorHandler = () => ({ contentType: 'text/html', body: LONG })
  for (const name of ['compression', 'session', 'none']) {
    const port = await listen(context, application('Express 5', name, 'before', { errorHandler }).app)
    const response = await fetch(`http://127.0.0.1:${port}/`)
    assert.deepEqual([response.status, await response.text()], [401, LONG])
    assert.equal((await ask(port, '/', {}, 'HEAD')).body, '')
  }
})
