import { requireGroup } from 'pomerium-jwt'

import { auth } from '../../auth'

export const GET = auth.protect((request, identity) => Response.json(requireGroup(identity, 'admins')))
export { POST, PUT, DELETE, PATCH, OPTIONS } from '../[...path]/route'
