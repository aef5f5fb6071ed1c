// The application as a handler of the Fetch API, on Bun and on Deno:
// POMERIUM_JWT_ROUTE=https://app.example.com PORT=8000 bun --max-http-header-size=131072 fetch.mjs
// POMERIUM_JWT_ROUTE=https://app.example.com PORT=8000 deno run --allow-all fetch.mjs

import process from 'node:process'

import { requireGroup } from 'pomerium-jwt'
import { protect } from 'pomerium-jwt/fetch'

const listener = protect((request, identity) => {
  const pages = {
    '/': () => identity ?? null,
    '/admin': () => requireGroup(identity, 'admins'), // throws: the answer is 401 or 403
    '/health': () => listener.verifier.health(),
  }
  const { pathname } = new URL(request.url, 'http://localhost')
  const isPage = ['GET', 'HEAD'].includes(request.method) && Object.hasOwn(pages, pathname)
  return Response.json(isPage ? pages[pathname]() : { reached: true, subject: identity?.subject ?? null })
})

const place = { port: Number(process.env.PORT ?? 8000), hostname: '127.0.0.1' }
const announce = ({ port }) => console.log(`http://127.0.0.1:${port}`)
if ('Bun' in globalThis) announce(Bun.serve({ ...place, fetch: listener }))
else Deno.serve({ ...place, onListen: announce }, listener)
