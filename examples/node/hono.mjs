// The application on Hono, on Node's server:
// POMERIUM_JWT_ROUTE=https://app.example.com PORT=8000 node hono.mjs

import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { cors } from 'hono/cors'
import { pomerium, requireGroup } from 'pomerium-jwt/hono'

const { PORT = '8000', CORS_ORIGIN } = process.env
const app = new Hono()

// In front of pomerium(): answers preflights, and lets the browser read refusals too
if (CORS_ORIGIN) app.use(cors({ origin: CORS_ORIGIN, allowMethods: ['DELETE'], allowHeaders: ['Authorization'] }))

const protect = pomerium()
app.use(protect) // from here on every request is verified

app.get('/', (c) => c.json(c.get('pomerium') ?? null))
app.get('/admin', requireGroup('admins'), (c) => c.json(c.get('pomerium')))
app.get('/health', (c) => c.json(protect.verifier.health()))
app.all('*', (c) => c.json({ reached: true, subject: c.get('pomerium')?.subject ?? null }))

// Room for a token with hundreds of groups; without it Node refuses headers above 16 KiB
const serverOptions = { maxHeaderSize: 131_072 }
serve({ fetch: app.fetch, port: Number(PORT), hostname: '127.0.0.1', serverOptions }, ({ port }) => {
  console.log(`http://127.0.0.1:${port}`)
})
