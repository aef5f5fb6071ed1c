/**
 * The browser half of the official `@pomerium/js-sdk`, for pages that exist: change the import. New ones call `getUser` of
 * `pomerium-jwt/browser`, since Pomerium 0.27 and later give pages no token to verify.
 *
 * Verification is by the package `jose`, which the application installs, and as strict as jose.
 */

import type { JWTVerifyGetKey } from 'jose'

import { signOut } from './index.mjs'

export { signOut }

export interface PomeriumVerifierConfig {
  /** The expected `iss`. Left out or empty, that of the first token that verifies. */
  issuer?: string | undefined
  /** The expected `aud`, any of them. Left out or empty, the host of the page. */
  audience?: string | string[] | undefined
  /**
   * Seconds for which a token is accepted after its `exp`, at most 3600. Negative, it is refused that long before its `exp`.
   * Default: 60.
   */
  expirationBuffer?: number | undefined
  /** Where the keys are fetched. Default: below the page's origin. Never where a token says. */
  jwksUrl?: string | undefined
}

/** A verified payload, as it was signed. For display: the server verifies for itself. */
export interface JWTPayload {
  iss?: string
  sub?: string
  aud?: string | string[]
  jti?: string
  nbf?: number
  exp?: number
  iat?: number
  [claim: string]: unknown
}

export interface JWTVerifyResult {
  payload: JWTPayload
  protectedHeader: { alg: string; kid?: string; typ?: string; [name: string]: unknown }
}

/** What `/.pomerium/user` says, as it is. */
export interface UserInfo {
  email?: string
  name?: string
  groups?: string[]
  user?: string
  [claim: string]: unknown
}

const KEYS = '/.well-known/pomerium/jwks.json'

/** Verifies the user's token in a page. */
export class PomeriumVerifier {
  issuer: string
  audience: string[]
  expirationBuffer: number
  firstUse = true
  /** The payload that verified last. */
  jwtData: JWTPayload = {}
  /** The same. */
  verifiedJwtData: JWTPayload = {}
  readonly #leeway: number
  readonly #jwksUrl: string
  #keys: JWTVerifyGetKey | undefined

  /** Throws TypeError without an argument, and for an `expirationBuffer` that is not a number of seconds up to 3600. */
  constructor(config: PomeriumVerifierConfig) {
    const { issuer = '', audience = [], expirationBuffer = 0, jwksUrl = KEYS } = config
    if (!Number.isInteger(expirationBuffer) || Math.abs(expirationBuffer) > 3600) {
      throw new TypeError('expirationBuffer takes whole seconds, at most 3600')
    }
    this.issuer = issuer
    this.audience = this.audToArray(audience).filter((name) => name !== '')
    this.expirationBuffer = expirationBuffer
    this.#leeway = config.expirationBuffer ?? 60
    this.#jwksUrl = jwksUrl
  }

  /** The user of this page. Rejects on servers that give pages no token, with an Error that names getUser. */
  async verifyBrowserUser(): Promise<JWTVerifyResult> {
    return this.verifyJwt(await getClientJwt())
  }

  /** Rejects with jose's errors; with the official messages for issuer, audience and expiry. */
  async verifyJwt(jwt: string): Promise<JWTVerifyResult> {
    const { createRemoteJWKSet, errors, jwtVerify } = await import('jose')
    this.#keys ??= createRemoteJWKSet(new URL(this.#jwksUrl, location.origin))
    const audience = this.audience.length > 0 ? this.audience : [location.hostname]
    try {
      const { payload, protectedHeader } = await jwtVerify(jwt, this.#keys, {
        algorithms: ['ES256'],
        audience,
        clockTolerance: Math.max(this.#leeway, 0),
        currentDate: new Date(Date.now() - Math.min(this.#leeway, 0) * 1000),
        requiredClaims: ['iss', 'exp', 'sub'],
        // jwt_issuer_format: uri
        ...(this.issuer && { issuer: [this.issuer, `https://${this.issuer}/`] }),
      })
      if (!payload.sub) throw new Error('The JWT has no subject: nobody is signed in')
      this.firstUse = false
      this.jwtData = this.verifiedJwtData = payload as JWTPayload
      this.tofu()
      return { payload: this.jwtData, protectedHeader }
    } catch (error) {
      const message = error instanceof errors.JWTExpired ? 'The jwt is expired!' : this.#mismatch(error, audience)
      throw message ? new Error(message, { cause: error }) : error
    }
  }

  /** Takes over what the first verified token has set. verifyJwt calls it. */
  tofu(): void {
    this.issuer ||= this.verifiedJwtData.iss ?? ''
    if (this.audience.length === 0) this.audience = this.audToArray(this.verifiedJwtData.aud ?? [])
  }

  audToArray(aud: string | string[]): string[] {
    return Array.isArray(aud) ? [...aud] : [aud]
  }

  /** Whether the payload that verified last has not expired since. */
  isLoggedIn(): boolean {
    return Date.now() / 1000 < (this.verifiedJwtData.exp ?? 0) + this.expirationBuffer
  }

  #mismatch(error: unknown, audience: string[]): string | undefined {
    const claim = error instanceof Error && 'claim' in error && 'reason' in error && error.reason === 'check_failed'
    if (!claim) return undefined
    if (error.claim === 'iss') return `JWT was not issued by the correct authority: ${this.issuer}`
    if (error.claim === 'aud') return `The audience did not match expected value(s): ${audience.join(', ')}`
    return undefined
  }
}

/** What Pomerium says of the user: for display. Rejects if nobody is signed in. */
export async function getBrowserUser(): Promise<UserInfo> {
  const response = await ask('/.pomerium/user')
  if (!response.ok) throw new Error(`/.pomerium/user answered ${response.status}: is Pomerium in front, 0.27 or later?`)
  return (await response.json()) as UserInfo
}

/** The token of this request, on servers that still give it to pages. Rejects on others, with an Error that names getUser. */
export async function getClientJwt(): Promise<string> {
  const response = await ask('/.pomerium/jwt')
  const token = (await response.text()).trim()
  // A server without Pomerium in front may answer any path with its page
  if (!response.ok || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) {
    throw new Error(
      'Pomerium gives this page no token: since 0.27 /.pomerium/jwt is off. To show who is signed in, call getUser() of ' +
        'pomerium-jwt/browser; to decide, verify on the server. (The runtime flag pomerium_jwt_endpoint turns it on again.)',
    )
  }
  return token
}

async function ask(path: string): Promise<Response> {
  const headers = { Accept: 'application/json' }
  const url = `${location.origin}${path}?${Date.now()}`
  const response = await fetch(url, { headers, cache: 'no-store', redirect: 'manual' })
  if (response.type === 'opaqueredirect' || response.status === 401) throw new Error('Nobody is signed in')
  return response
}
