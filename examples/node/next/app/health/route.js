import { auth } from '../../auth'

export const dynamic = 'force-dynamic'

// Public if proxy.js lets it through: POMERIUM_JWT_EXEMPT_PATHS=/health
export const GET = () => Response.json(auth.verifier.health())
export { POST, PUT, DELETE, PATCH, OPTIONS } from '../[...path]/route'
