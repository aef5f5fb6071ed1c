/**
 * The interface of the official `@pomerium/js-sdk` for servers: change the import, and add `jwksUrl` if no issuer is
 * configured. Verification is the Verifier's; the README's table says where the results differ, and why.
 */

import { invalidOptions, made } from './errors'
import { type Claims, type Code, logoutUrl, type Options, Verifier, VerifyError } from './index'
import { plain, toJson } from './options'

/** What PomeriumVerifier takes: in addition to what the official one does, most options of the Verifier, such as `caFile`. */
export interface PomeriumVerifierConfig extends Omit<Options, 'route' | 'issuer' | 'audience' | 'trustOnFirstUse'> {
  /** The expected `iss`. Left out or empty, that of the first token that verifies; `jwksUrl` is needed then. */
  issuer?: string | undefined
  /** The expected `aud`, any of them. Left out or empty, that of the first token that verifies. */
  audience?: string | string[] | undefined
  /**
   * Whole seconds for which a token is accepted after its `exp`, and by which other clocks may differ: 0 to 3600.
   * Negative, it is refused that long before its `exp`. Default: the Verifier's `leeway`.
   */
  expirationBuffer?: number | undefined
  /** Where the keys are fetched. Default: below the configured issuer. Never below the issuer that a token names. */
  jwksUrl?: string | undefined
}

/** A verified payload, as it was signed. */
export interface JWTPayload extends Claims {
  iss?: string
  sub?: string
  aud?: string | string[]
  jti?: string
  nbf?: number
  exp?: number
  iat?: number
}

/** What anybody could have written: **nothing of it has been verified**. */
export type UnverifiedJWTPayload = JWTPayload

export interface JWTHeaderParameters {
  alg: string
  kid?: string
  typ?: string
  [name: string]: unknown
}

export interface JWTVerifyResult {
  payload: JWTPayload
  protectedHeader: JWTHeaderParameters
}

/** A JSON Web Key Set, as it was fetched. */
export interface JSONWebKeySet {
  keys: Record<string, unknown>[] | null
}

/**
 * Verifies assertions. All of a process that are configured alike share their keys and what the first token set: one
 * made for each request does not fetch again and does not trust again.
 */
export class PomeriumVerifier {
  /** Seconds, as given; 0 if not. */
  readonly expirationBuffer: number
  readonly #verifier: Verifier
  #issuer: string
  #audience: string[]
  #firstUse = true
  #verified: JWTPayload = {}

  /** Throws TypeError without an argument, and VerifyError if the configuration is invalid. */
  constructor(config: PomeriumVerifierConfig) {
    if (config === undefined) throw new TypeError('PomeriumVerifier takes its configuration, an object')
    const { issuer = '', audience = [], expirationBuffer, ...others } = plain(config)
    this.#issuer = issuer
    this.#audience = this.audToArray(audience).filter((name) => name !== '')
    this.expirationBuffer = expirationBuffer ?? 0
    if (!Number.isInteger(this.expirationBuffer)) throw invalidOptions('expirationBuffer takes whole seconds')
    if (this.expirationBuffer > 300) warnOfUnit(this.expirationBuffer)
    const options: Options = {
      ...others,
      issuer: issuer || undefined,
      audience: this.#audience.length > 0 ? this.#audience : undefined,
      trustOnFirstUse: !issuer || this.#audience.length === 0 || undefined,
      leeway: expirationBuffer === undefined ? others.leeway : Math.max(expirationBuffer, 0),
    }
    this.#verifier = sharedVerifier(hasKeys(options) ? options : { ...options, jwksUrl: keysOf(issuer) })
    this.tofu()
  }

  /** The expected `iss`; "" as long as none was configured and no token has verified. */
  get issuer(): string {
    return this.#issuer
  }

  /** The expected `aud`, any of them. */
  get audience(): string[] {
    return [...this.#audience]
  }

  /** Whether this object has not verified a token yet. */
  get firstUse(): boolean {
    return this.#firstUse
  }

  /** The payload that verified last, of any user. If requests share this object, read what verifyJwt gives. */
  get jwtData(): JWTPayload {
    return this.#verified
  }

  /** The same. */
  get verifiedJwtData(): JWTPayload {
    return this.#verified
  }

  /** Who sent this token: the text of the header, "" or undefined if there was none. Rejects with VerifyError. */
  async verifyJwt(jwt: string | undefined): Promise<JWTVerifyResult> {
    try {
      const result = await verifyWith(this.#verifier, jwt)
      // The core's leeway is at least 0: it judges once more, at the time until which the token has to be valid
      if (this.expirationBuffer < 0) {
        this.#verifier.verifyAt(jwt ?? '', Math.floor(Date.now() / 1000) - this.expirationBuffer)
      }
      this.#firstUse = false
      this.#verified = result.payload
      this.tofu()
      return result
    } catch (error) {
      this.tofu()
      throw error instanceof VerifyError ? this.#inTheirWords(error) : error
    }
  }

  /** Takes over what the first verified token has set. verifyJwt calls it. */
  tofu(): void {
    if (this.#issuer && this.#audience.length > 0) return
    const pinned = this.#verifier.status().pinned
    this.#issuer ||= pinned?.issuer ?? ''
    if (this.#audience.length === 0) this.#audience = [...(pinned?.audience ?? [])]
  }

  audToArray(aud: string | string[]): string[] {
    return Array.isArray(aud) ? [...aud] : [aud]
  }

  /** Whether the payload that verified last has not expired since. */
  isLoggedIn(): boolean {
    return Date.now() / 1000 < (this.#verified.exp ?? 0) + this.expirationBuffer
  }

  /** With the messages that users of the official package compare; ours is the cause. */
  #inTheirWords(error: VerifyError): VerifyError {
    const theirs: Partial<Record<Code, string>> = {
      issuer_mismatch: `JWT was not issued by the correct authority: ${this.#issuer}`,
      audience_mismatch: `The audience did not match expected value(s): ${this.#audience.join(', ')}`,
      token_expired: 'The jwt is expired!',
    }
    const message = theirs[error.code]
    return message === undefined ? error : VerifyError.saying(message, error)
  }
}

/**
 * Verifies one token with the keys of `authenticateBaseUrl`, which are kept. Rejects with VerifyError, also if the
 * issuer or the audience is empty: one key signs every route.
 */
export async function verifyPomeriumJWT(
  jwt: string | undefined,
  authenticateBaseUrl: string,
  issuer: string,
  audience: string | string[],
): Promise<JWTVerifyResult> {
  return verifyWith(sharedVerifier({ issuer, audience, jwksUrl: keysOf(authenticateBaseUrl) }), jwt)
}

/**
 * Decodes a token **and verifies nothing**: for display, never for a decision. Throws VerifyError for anything but three
 * parts whose second is an object; the official one decodes the second of any number.
 */
export function parseJWT(token: string): UnverifiedJWTPayload {
  const parts = text(token).split('.')
  try {
    const claims: unknown = decode(parts[1])
    if (parts.length === 3 && typeof claims === 'object' && claims !== null && !Array.isArray(claims)) {
      return claims as JWTPayload
    }
  } catch {
    // as any other text that is not a token
  }
  throw made('token_malformed', 'this is not a JWT in compact serialization')
}

/** The key set that Pomerium publishes below this address, as it is. Verifying does not need it. */
export async function getJWKsData(baseUrl: string): Promise<JSONWebKeySet> {
  const response = await fetch(keysOf(baseUrl), { redirect: 'error', signal: AbortSignal.timeout(10_000) })
  if (!response.ok) throw new Error(`the key set could not be fetched: status ${response.status}`)
  return (await response.json()) as JSONWebKeySet
}

/** Where the user signs out: `response.redirect(signOut())`. In a browser the official one goes there itself. */
export function signOut(redirectUrl?: string): string {
  return logoutUrl(redirectUrl)
}

/** The address with `https://` in front, unless it has `http://` or `https://`. */
export function withHttps(url: string): string {
  return /^https?:\/\//i.test(url) ? url : `https://${url}`
}

// Enough for every configuration that is written down, and an end to one that is made of requests
const MOST_VERIFIERS = 64
const verifiers = new Map<string, Verifier>()

/** The one of this process for these options. */
function sharedVerifier(options: Options): Verifier {
  // Not JSON.stringify's, which leaves out values that the core would refuse
  const name = toJson(options)
  const shared = verifiers.get(name)
  if (shared) return shared
  if (verifiers.size >= MOST_VERIFIERS) {
    throw invalidOptions(`over ${MOST_VERIFIERS} different configurations: are they made of requests?`)
  }
  const verifier = new Verifier(options)
  verifiers.set(name, verifier)
  return verifier
}

async function verifyWith(verifier: Verifier, jwt = ''): Promise<JWTVerifyResult> {
  const { claimsText } = await verifier.verify(text(jwt))
  // What verified has three parts, perhaps after `Bearer `
  const [header] = jwt.slice(jwt.indexOf(' ') + 1).split('.')
  return { payload: JSON.parse(claimsText) as JWTPayload, protectedHeader: decode(header) as JWTHeaderParameters }
}

/** A token as the official interface has it: Buffers would verify, and fail later. */
function text(token: unknown): string {
  if (typeof token === 'string') return token
  const hint = token instanceof Uint8Array ? ': write Buffer.from(token).toString()' : ''
  throw made('invalid_argument', `a token is a string here, not ${Object.prototype.toString.call(token)}${hint}`)
}

function hasKeys({ jwksUrl, jwks, jwksFile, publicKey, publicKeyFile }: Options): boolean {
  return [jwksUrl, jwks, jwksFile, publicKey, publicKeyFile].some((source) => source !== undefined)
}

function decode(part = ''): unknown {
  return JSON.parse(Buffer.from(part, 'base64url').toString())
}

/** Pomerium's address for keys below this one. */
function keysOf(baseUrl: string): string {
  if (!baseUrl) throw invalidOptions('add jwksUrl, or issuer: keys are not fetched from where a token says')
  return `${withHttps(baseUrl).replace(/\/$/, '')}/.well-known/pomerium/jwks.json`
}

let warned = false

function warnOfUnit(expirationBuffer: number): void {
  if (warned) return
  warned = true
  process.emitWarning(
    `expirationBuffer is in seconds: ${expirationBuffer} accepts tokens for that long after they have expired. ` +
      'An example of the official documentation has 1000, which may have been meant as one second',
    { code: 'POMERIUM_JWT_EXPIRATION_BUFFER' },
  )
}
