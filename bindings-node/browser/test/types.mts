// Compiled by bundle.test.mjs with --strict: what TypeScript's users write.

import {
  getUser,
  isSessionEnded,
  pomeriumFetch,
  type PomeriumUser,
  SessionEndedError,
  signInAgain,
  signOut,
} from 'pomerium-jwt/browser'
import {
  getBrowserUser,
  getClientJwt,
  type JWTPayload,
  PomeriumVerifier,
  type UserInfo,
} from 'pomerium-jwt/js-sdk/browser'
import { type PomeriumUserState, usePomeriumUser } from 'pomerium-jwt/react'

export async function page(signal: AbortSignal): Promise<string | null> {
  const user: PomeriumUser | null = await getUser({ signal })
  const groups: readonly string[] = user?.groups ?? []
  const department: unknown = user?.claims['department']
  // @ts-expect-error: nobody may be signed in
  const email: string | null = (await getUser()).email
  // @ts-expect-error: an event is not an address
  document.onclick = signOut
  document.onclick = () => signOut('/bye')
  const response: Response = await pomeriumFetch(new URL('/api', location.origin), { method: 'POST', signal })
  const isLeaving: boolean = (await isSessionEnded()) && signInAgain()
  const cause: unknown = new SessionEndedError().cause
  console.log(groups, department, response.status, isLeaving, cause)
  return email
}

export function Component(): string {
  const { user, error }: PomeriumUserState = usePomeriumUser()
  // @ts-expect-error: it may not be known yet
  console.log(error, user === null ? null : user.email)
  return user ? (user.name ?? user.subject) : ''
}

export async function official(): Promise<JWTPayload> {
  const verifier = new PomeriumVerifier({ issuer: '', audience: '', expirationBuffer: 1000 })
  const { payload, protectedHeader } = await verifier.verifyBrowserUser()
  const user: UserInfo = await getBrowserUser()
  console.log(protectedHeader.alg, user.email, verifier.isLoggedIn(), await verifier.verifyJwt(await getClientJwt()))
  return payload
}
