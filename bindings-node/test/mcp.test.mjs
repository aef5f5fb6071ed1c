// A server of the official MCP SDK, over HTTP, asked by the SDK's own client.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import express from 'express'
import { requireGroup } from 'pomerium-jwt'
import { pomerium } from 'pomerium-jwt/express'
import { caller, withAuthInfo } from 'pomerium-jwt/mcp'
import { TestIssuer } from 'pomerium-jwt/testing'

import { listen } from './servers.mjs'

const issuer = new TestIssuer()

async function serve(context, options = {}) {
  const app = express()
  app.use(pomerium({ ...issuer.options, onRefused() {}, ...options }), express.json())
  app.post('/mcp', async (request, response) => {
    const server = new McpServer({ name: 'test', version: '1.0.0' })
    const text = (said) => ({ content: [{ type: 'text', text: said }] })
    server.registerTool('whoami', {}, (extra) => text(caller(extra).email))
    server.registerTool('admin', {}, (extra) => text(requireGroup(caller(extra), 'secret-group').email))
    server.registerTool('token', {}, (extra) => text(JSON.stringify(extra.authInfo.token)))
    const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true })
    response.on('close', () => server.close())
    await server.connect(transport)
    await transport.handleRequest(withAuthInfo(request), response, request.body)
  })
  const port = await listen(context, app)
  return async (tool, headers) => {
    const client = new Client({ name: 'test', version: '1.0.0' })
    const url = new URL(`http://127.0.0.1:${port}/mcp`)
    await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }))
    const { isError = false, content } = await client.callTool({ name: tool })
    await client.close()
    return [isError, content[0].text]
  }
}

test('a tool knows its caller, and a refusal says its code alone', async (context) => {
  const call = await serve(context)
  assert.deepEqual(await call('whoami', issuer.headers()), [false, 'alice@example.com'])
  assert.deepEqual(await call('admin', issuer.headers()), [true, 'group_required'])
  assert.deepEqual(await call('admin', issuer.headers({ groups: ['secret-group'] })), [false, 'alice@example.com'])
  assert.deepEqual(await call('token', issuer.headers()), [false, '""'])
  for (const headers of [{}, issuer.headers({ sub: '' })])
    await assert.rejects(call('whoami', headers), /(token|subject)_missing/)
})

test('without an identity a tool that wants one is refused', async (context) => {
  const call = await serve(context, { optional: true, allowAnonymous: true })
  assert.deepEqual(await call('whoami', {}), [true, 'token_missing'])
  assert.deepEqual(await call('whoami', issuer.headers({ sub: '' })), [true, 'subject_missing'])
  for (const pomerium of [undefined, {}, { anonymous: false, subject: 'mallory' }]) {
    assert.throws(() => caller({ authInfo: { extra: { pomerium } } }), { code: 'token_missing' })
  }
})
