// A server component
import { headers } from 'next/headers'

import { auth } from '../../auth'

export default async function Me() {
  const identity = await auth.identity(await headers())
  return <p>hello {identity?.email}</p>
}
