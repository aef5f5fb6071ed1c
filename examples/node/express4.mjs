// The same application on Express 4, which the package.json here names express4:
// POMERIUM_JWT_ROUTE=https://app.example.com PORT=8000 node express4.mjs

import { createServer } from 'node:http'

import cors from 'cors'
import express from 'express4'
import { pomerium, requireGroup } from 'pomerium-jwt/express'

const { PORT = '8000', CORS_ORIGIN, REWRITE } = process.env
const app = express()

// In front of pomerium(): answers preflights, and lets the browser read refusals too
if (CORS_ORIGIN) app.use(cors({ origin: CORS_ORIGIN, methods: 'DELETE', allowedHeaders: 'Authorization' }))
if (REWRITE) {
  const [from, to] = REWRITE.split('=')
  app.use((request, response, next) => {
    if (request.path === from) request.url = to
    next()
  })
}

const protect = pomerium()
app.use(protect) // from here on every request is verified

app.get('/', (request, response) => response.json(request.pomerium ?? null))
app.get('/admin', requireGroup('admins'), (request, response) => response.json(request.pomerium))
app.get('/health', (request, response) => response.json(protect.verifier.health()))
app.use((request, response) => response.json({ reached: true, subject: request.pomerium?.subject ?? null }))

// Room for a token with hundreds of groups; without it Node refuses headers above 16 KiB
const server = createServer({ maxHeaderSize: 131_072 }, app).listen(Number(PORT), '127.0.0.1', () => {
  const address = server.address()
  console.log(`http://127.0.0.1:${typeof address === 'object' ? address?.port : PORT}`)
})
