import { auth } from '../../auth'

export const GET = auth.protect(() => Response.json(auth.verifier.health()))
export { POST, PUT, DELETE, PATCH, OPTIONS } from '../[...path]/route'
