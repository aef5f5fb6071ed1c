import { protect } from 'pomerium-jwt/fetch'

import { auth } from '../../auth'

// For everyone whom proxy.js lets in, exempt paths included: `auth.protect` knows of none
let answer
const reached = (request) => {
  answer ??= protect((_, identity) => Response.json({ reached: true, subject: identity?.subject ?? null }), {
    verifier: auth.verifier,
  })
  return answer(request)
}
export { reached as GET, reached as POST, reached as PUT, reached as DELETE, reached as PATCH, reached as OPTIONS }
