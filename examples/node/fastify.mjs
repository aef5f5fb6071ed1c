// The application on Fastify, with WebSockets at /ws:
// POMERIUM_JWT_ROUTE=https://app.example.com PORT=8000 node fastify.mjs

import cors from '@fastify/cors'
import websocket from '@fastify/websocket'
import Fastify from 'fastify'
import { pomerium, requireGroup } from 'pomerium-jwt/fastify'

const { PORT = '8000', CORS_ORIGIN, REWRITE } = process.env
const [from, to] = REWRITE?.split('=') ?? []

const app = Fastify({
  // Room for a token with hundreds of groups; without it Node refuses headers above 16 KiB
  http: { maxHeaderSize: 131_072 },
  rewriteUrl: ({ url }) => (url === from || url.startsWith(`${from}?`) ? to : url),
})

// In front of pomerium: answers preflights, and lets the browser read refusals too
if (CORS_ORIGIN) await app.register(cors, { origin: CORS_ORIGIN, methods: 'DELETE', allowedHeaders: 'Authorization' })
await app.register(pomerium) // every request is verified
await app.register(websocket)

app.get('/', async (request, reply) => reply.type('application/json').send(JSON.stringify(request.pomerium ?? null)))
app.get('/admin', { onRequest: requireGroup('admins') }, async (request) => request.pomerium)
app.get('/health', async () => app.pomerium.health())
app.get('/ws', { websocket: true }, (socket, request) => {
  socket.send(request.pomerium?.subject ?? '')
  socket.close()
})
app.setNotFoundHandler((request, reply) => {
  reply.code(200).send({ reached: true, subject: request.pomerium?.subject ?? null })
})

console.log(await app.listen({ port: Number(PORT), host: '127.0.0.1' }))
