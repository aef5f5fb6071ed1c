// An MCP server whose tool knows who calls it:
// POMERIUM_JWT_ROUTE=https://app.example.com PORT=8000 node mcp.mjs

import { createServer } from 'node:http'

import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import express from 'express'
import { pomerium } from 'pomerium-jwt/express'
import { caller, withAuthInfo } from 'pomerium-jwt/mcp'

import { announce } from './routes.mjs'

const app = express()
app.use(pomerium(), express.json())
app.post('/mcp', async (request, response) => {
  const server = new McpServer({ name: 'whoami', version: '1.0.0' })
  server.registerTool('whoami', { description: 'Who is calling' }, (extra) => ({
    content: [{ type: 'text', text: `hello ${caller(extra).email}` }],
  }))
  // No sessions, which somebody else could continue
  const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true })
  response.on('close', () => server.close())
  await server.connect(transport)
  await transport.handleRequest(withAuthInfo(request), response, request.body)
})

// Room for a token with hundreds of groups; without it Node refuses headers above 16 KiB
const server = createServer({ maxHeaderSize: 131_072 }, app)
server.listen(Number(process.env.PORT ?? 8000), '127.0.0.1', announce(server))
