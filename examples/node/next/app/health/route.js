import { connection } from 'next/server'

import { auth } from '../../auth'

// Public if proxy.js lets it through: POMERIUM_JWT_EXEMPT_PATHS=/health
export async function GET() {
  await connection() // not while it is built
  return Response.json(auth.verifier.health())
}
export { POST, PUT, DELETE, PATCH, OPTIONS } from '../[...path]/route'
