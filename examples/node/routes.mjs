// The answers of the applications here whose servers have no router.

import { requireGroup } from 'pomerium-jwt'

/** Answers with JSON. A VerifyError of requireGroup is thrown: who calls this answers with it. */
export function answer(request, response, verifier) {
  // Of GET http://app.example.com/health the path is /health too
  const [path] = request.url.replace(/^https?:\/\/[^/?]+/i, '').split('?')
  const pages = {
    '/': () => request.pomerium ?? null,
    '/admin': () => requireGroup(request.pomerium, 'admins'),
    '/health': () => verifier.health(),
  }
  const isPage = ['GET', 'HEAD'].includes(request.method) && Object.hasOwn(pages, path)
  const content = isPage ? pages[path]() : { reached: true, subject: request.pomerium?.subject ?? null }
  response.setHeader('Content-Type', 'application/json')
  response.end(JSON.stringify(content))
}

/** The `cors` package's middleware if CORS_ORIGIN is set, and else one that does nothing. */
export async function corsFromEnvironment() {
  const { CORS_ORIGIN: origin } = process.env
  if (!origin) return (request, response, next) => next()
  const { default: cors } = await import('cors')
  return cors({ origin, methods: 'DELETE', allowedHeaders: 'Authorization' })
}

/** What to call when the server listens. */
export function announce(server) {
  return () => console.log(`http://127.0.0.1:${server.address().port}`)
}
