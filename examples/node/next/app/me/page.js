// A server component
import { headers } from 'next/headers'
import { Suspense } from 'react'

import { auth } from '../../auth'

export default function Page() {
  return (
    <Suspense>
      <Me />
    </Suspense>
  )
}

async function Me() {
  const identity = await auth.identity(await headers())
  return <p>hello {identity?.email}</p>
}
