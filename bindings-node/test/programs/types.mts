// Compiled by package.test.mjs with --strict, as a module of both kinds, in a project that has the package installed: what
// TypeScript's users meet.

import {
  type Claims,
  type Code,
  type Health,
  Identity,
  type Kind,
  logoutUrl,
  type Options,
  type Status,
  type Token,
  Verifier,
  VerifyError,
} from 'pomerium-jwt'

interface Staff {
  department: string
  level?: number
}

export async function good(header: string | undefined, bytes: Uint8Array, signal: AbortSignal): Promise<Token> {
  const options: Options = { route: ['https://app.example.com'], leeway: 30, expectClaims: { department: ['IT'] } }
  const verifier = new Verifier({ ...options, maxTokenAge: undefined, jwks: { keys: [{ kty: 'EC' }] } })
  const identity: Identity = await verifier.verify(header ?? '', { signal })
  const claims: Claims = identity.claims
  const unknown: unknown = identity.claims['department']
  const staff: Identity<Staff> = await Verifier.fromEnv().verify<Staff>(bytes)
  const department: string = staff.claims.department
  const level: number | undefined = verifier.verifySync<Staff>('').claims.level
  const expires: Date = verifier.verifyAt('', 1_800_000_000).expiresAtDate
  const email: string | null = identity.email
  const groups: readonly string[] = identity.groups
  const member: boolean = identity.inGroup('a') && identity.inAnyGroup(...groups) && identity.inAllGroups('a', 'b')
  await verifier.refresh()
  await verifier.refresh({ force: true })
  const status: Status = verifier.status()
  const health: Health = verifier.health()
  const admitted: Identity | undefined = await verifier.admit({ token: bytes, path: '/', upgrade: true }, { signal })
  const seconds: number | null = status.fetchSeconds
  console.log(
    claims,
    unknown,
    department,
    level,
    expires,
    email,
    member,
    status.counts['ok'],
    health.stale,
    admitted,
    seconds,
  )
  return logoutUrl() + logoutUrl('https://app.example.com')
}

export function answer(error: unknown): number {
  if (!(error instanceof VerifyError)) throw error
  const code: Code = error.code
  const kind: Kind = error.kind
  const retryAfter: number | undefined = error.retryAfter
  const headers: Readonly<Record<string, string>> = error.headers
  console.log(code, kind, error.number, error.reason, retryAfter, headers, error.body)
  return code === 'token_expired' ? 401 : error.status
}

export function wrong(verifier: Verifier, identity: Identity, staff: Identity<Staff>, error: VerifyError): void {
  // @ts-expect-error -- options are needed
  new Verifier()
  // @ts-expect-error -- misspelt
  new Verifier({ rout: 'https://app.example.com' })
  // @ts-expect-error -- snake_case is the core's
  new Verifier({ jwks_url: 'https://app.example.com' })
  // @ts-expect-error -- a number
  new Verifier({ leeway: '30' })
  // @ts-expect-error -- null is not a value
  new Verifier({ route: null })
  // @ts-expect-error -- a key set
  new Verifier({ jwks: [] })
  // @ts-expect-error -- strings
  new Verifier({ expectClaims: { level: 7 } })
  // @ts-expect-error -- a header may be absent
  void verifier.verify(undefined)
  // @ts-expect-error -- a promise
  verifier.verify('').email
  // @ts-expect-error -- misspelt
  identity.mail
  // @ts-expect-error -- may be null
  identity.email.toUpperCase()
  // @ts-expect-error -- frozen
  identity.subject = 'mallory'
  // @ts-expect-error -- frozen
  identity.groups.push('admins')
  // @ts-expect-error -- several one by one
  identity.inAnyGroup(['admins'])
  // @ts-expect-error -- not before its type is told
  identity.claims['department'].toUpperCase()
  // @ts-expect-error -- not of this type
  staff.claims.salary
  // @ts-expect-error -- nobody makes one but a verifier
  new Identity('{}')
  // @ts-expect-error -- not a code
  if (error.code === 'token_stale') return
  // @ts-expect-error -- nobody makes one but this package
  new VerifyError('token_missing', 'why')
  // @ts-expect-error -- read-only
  verifier.health().stale = false
}
