// Anybody can send a CORS preflight, and what looks at no method answers it as any other request: without content.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import http2 from 'node:http2'
import path from 'node:path'
import { test } from 'node:test'

import express from 'express'
import express4 from 'express4'
import { pomerium } from 'pomerium-jwt/express'
import { protect } from 'pomerium-jwt/http'
import { TestIssuer } from 'pomerium-jwt/testing'

import { ask, listen, PACKAGE } from './servers.mjs'

const { options } = new TestIssuer()
const PREFLIGHT = { 'Access-Control-Request-Method': 'GET', Origin: 'https://other.example.com' }
const SECRET = 'secret'

/** Ways to answer, each with the status. */
const ways = {
  '/end': [200, (response) => response.end(SECRET)],
  '/end-encoded': [200, (response) => response.end(SECRET, 'utf8', () => {})],
  '/write': [200, (response) => response.write(SECRET) && response.write(Buffer.from(SECRET), () => response.end())],
  '/announced': [200, (response) => response.setHeader('Content-Length', 6).end(SECRET)],
  '/head': [201, (response) => response.writeHead(201, { 'content-length': 6, 'X-Way': 'head' }).end(SECRET)],
  '/head-said': [201, (response) => response.writeHead(201, 'Made', { 'Content-Length': 6 }).end(SECRET)],
  '/head-list': [201, (response) => response.writeHead(201, ['Content-Length', '6', 'X-Way', 'list']).end(SECRET)],
  '/flushed': [200, (response) => response.setHeader('Content-Length', 6).flushHeaders() ?? response.end(SECRET)],
  '/piped': [200, (response) => createReadStream(path.join(PACKAGE, 'README.md')).pipe(response)],
  '/none': [204, (response) => response.writeHead(204, { 'Content-Length': '0' }).end()],
}
const answer = (request, response) => ways[request.url][1](response)

for (const [kind, listener] of Object.entries({
  http: protect(answer, options),
  'Express 5': express().use(pomerium(options)).use(answer),
  'Express 4': express4().use(pomerium(options)).use(answer),
})) {
  test(`${kind}: no way of answering sends content`, async (context) => {
    const port = await listen(context, listener)
    for (const [target, [expected]] of Object.entries(ways)) {
      const { status, headers, body } = await ask(port, target, PREFLIGHT, 'OPTIONS')
      assert.deepEqual([status, body], [expected, ''], target)
      assert.notEqual(headers['content-length'], '6', target)
      if (target.startsWith('/head-list')) assert.equal(headers['x-way'], 'list')
    }
  })
}

test('Express: its own ways, and CORS headers that a middleware sets', async (context) => {
  const app = express().use(pomerium(options))
  app.use('/cors', (request, response) => response.set('Access-Control-Allow-Origin', '*').status(204).end())
  app.use('/json', (request, response) => response.json(SECRET))
  app.use('/send', (request, response) => response.send(SECRET))
  app.use('/file', (request, response) => response.sendFile(path.join(PACKAGE, 'README.md')))
  app.get('/get', (request, response) => response.send(SECRET))
  const port = await listen(context, app)
  for (const target of ['/json', '/send', '/file', '/get']) {
    const { status, body } = await ask(port, target, PREFLIGHT, 'OPTIONS')
    assert.deepEqual([status, body], [200, ''], target)
  }
  const { status, headers } = await ask(port, '/cors', PREFLIGHT, 'OPTIONS')
  assert.deepEqual([status, headers['access-control-allow-origin']], [204, '*'])
})

test('HTTP/2', async (context) => {
  const server = http2.createServer(protect((request, response) => response.end(SECRET), options))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = http2.connect(`http://127.0.0.1:${server.address().port}`)
  context.after(() => {
    client.close()
    server.close()
  })
  const preflight = { ':method': 'OPTIONS', 'access-control-request-method': 'GET' }
  const stream = client.request(preflight, { endStream: true })
  const [headers] = await once(stream, 'response')
  assert.deepEqual([headers[':status'], Buffer.concat(await stream.toArray()).toString()], [200, ''])
})
