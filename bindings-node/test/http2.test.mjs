// An http2 server; examples.test.mjs has the one that speaks HTTP/1.1 too.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import http2 from 'node:http2'
import { test } from 'node:test'

import { requireGroup } from 'pomerium-jwt'
import { protect } from 'pomerium-jwt/http'
import { TestIssuer } from 'pomerium-jwt/testing'

import { HEADER } from './servers.mjs'

const issuer = new TestIssuer()

async function serve(context, options = {}, settings = {}) {
  const listener = (request, response) => {
    if (request.url === '/admin') requireGroup(request.pomerium, 'admins')
    response.end(request.pomerium?.subject ?? 'nobody')
  }
  const server = http2.createServer(settings, protect(listener, { ...issuer.options, onRefused() {}, ...options }))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = http2.connect(`http://127.0.0.1:${server.address().port}`)
  context.after(() => {
    client.close()
    server.close()
  })
  return client
}

async function ask(client, headers) {
  const stream = client.request(headers, { endStream: true })
  const [response] = await once(stream, 'response')
  return { status: response[':status'], headers: response, body: Buffer.concat(await stream.toArray()).toString() }
}

test('who gets in', async (context) => {
  const client = await serve(context, { exemptPaths: '/health' })
  const [name, good] = [HEADER.toLowerCase(), issuer.token({ groups: ['staff'] })]
  const refused = (code) => JSON.stringify({ error: code })
  const table = [
    [{}, 401, refused('token_missing')],
    [{ [name]: '' }, 401, refused('token_missing')],
    [{ [name]: good }, 200, 'alice'],
    [{ [name]: [good, good] }, 401, refused('token_repeated')],
    [{ [name]: issuer.expired() }, 401, refused('token_expired')],
    [{ [name]: good, ':path': '/admin' }, 403, refused('group_required')],
    [{ ':path': '/health' }, 200, 'nobody'],
    [{ ':path': '/health?x=1' }, 200, 'nobody'],
    [{ ':path': '/health/' }, 401, refused('token_missing')],
    [{ ':method': 'OPTIONS', 'access-control-request-method': 'DELETE' }, 401, refused('token_missing')],
    [{ ':method': 'HEAD' }, 401, ''],
    [{ ':method': 'HEAD', [name]: good }, 200, ''],
  ]
  for (const [headers, status, body] of table) {
    const answer = await ask(client, headers)
    assert.deepEqual([answer.status, answer.body], [status, body], JSON.stringify(headers))
  }
  const { headers } = await ask(client, {})
  assert.equal(headers['content-type'], 'application/json')
  assert.equal(headers['cache-control'], 'no-store')
  assert.equal(headers['www-authenticate'], 'Bearer error="invalid_token"')
})

test('CONNECT, also that of a WebSocket, reaches no listener', async (context) => {
  const settings = { settings: { enableConnectProtocol: true } }
  const client = await serve(context, { exemptPaths: '/health' }, settings)
  await once(client, 'remoteSettings')
  const webSocket = { ':method': 'CONNECT', ':protocol': 'websocket', ':scheme': 'http', ':path': '/health' }
  for (const headers of [webSocket, { ':method': 'CONNECT', ':authority': 'a.example.com:80' }]) {
    const stream = client.request(headers)
    const [response] = await once(stream, 'response')
    stream.close()
    assert.equal(response[':status'], 405)
  }
})
