// A route handler
import { auth } from '../../auth'

export const GET = auth.protect((request, identity) => Response.json({ hello: identity?.email ?? null }))
