import { auth } from '../../auth'

const reached = auth.protect((request, identity) => {
  return Response.json({ reached: true, subject: identity?.subject ?? null })
})
export { reached as GET, reached as POST, reached as PUT, reached as DELETE, reached as PATCH, reached as OPTIONS }
