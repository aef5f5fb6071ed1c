import { auth } from '../auth'

export const GET = auth.protect((request, identity) => Response.json(identity ?? null))
export { POST, PUT, DELETE, PATCH, OPTIONS } from './[...path]/route'
