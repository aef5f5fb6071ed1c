import { made } from './errors'

/** An identity as JSON: the typed fields, with the names that every language has. */
export interface IdentityJson {
  readonly subject: string
  readonly user: string | null
  readonly email: string | null
  readonly name: string | null
  readonly groups: readonly string[]
  readonly session_id: string | null
  readonly token_id: string | null
  readonly issuer: string
  readonly audience: readonly string[]
  readonly issued_at: number | null
  readonly expires_at: number
  readonly anonymous: boolean
}

/** A verified payload: whatever Pomerium was told to put in it. */
export type Claims = { readonly [name: string]: unknown }

/**
 * Who is calling, as Pomerium says and its signature proves. Frozen. console.log shows no personal data; JSON.stringify
 * has all its fields, with the names that every language has, but no claims.
 */
export class Identity<C = Claims> {
  /** `sub`: the user's id at the identity provider. Empty only when `anonymous`. */
  readonly subject: string
  /** `user`: equals the subject in current versions of Pomerium. null when missing or empty. */
  readonly user: string | null
  /** `email`. null when missing or empty. */
  readonly email: string | null
  /** `name`: the display name. null when missing or empty. */
  readonly name: string | null
  /** `groups`: ids and names from the directory. */
  readonly groups: readonly string[]
  /** `sid`: the session, or the service account. Some anonymous requests have one too, so it does not prove a user. */
  readonly sessionId: string | null
  /** `jti`: fresh for each request (Pomerium 0.27 and later). null when missing or empty. */
  readonly tokenId: string | null
  /** `iss`. */
  readonly issuer: string
  /** `aud`. */
  readonly audience: readonly string[]
  /** `iat` in Unix seconds: the request (Pomerium 0.29 and later), the session's begin in older versions. null when missing. */
  readonly issuedAt: number | null
  /** `exp` in Unix seconds: five minutes after the request. Long connections outlive it. */
  readonly expiresAt: number
  /** Nobody is signed in: `sub` is empty and `allowAnonymous` is set. A signed token alone is not a signed-in user. */
  readonly anonymous: boolean

  readonly #text: string
  #claims: C | undefined

  /** @internal Of the native half's answer: the fields as JSON, a line feed, and the payload's own text. */
  static of<C>(answer: string): Identity<C> {
    return new Identity<C>(answer)
  }

  private constructor(answer: string) {
    const end = answer.indexOf('\n')
    const fields = JSON.parse(answer.slice(0, end)) as IdentityJson
    this.subject = fields.subject
    this.user = fields.user
    this.email = fields.email
    this.name = fields.name
    this.groups = Object.freeze(fields.groups)
    this.sessionId = fields.session_id
    this.tokenId = fields.token_id
    this.issuer = fields.issuer
    this.audience = Object.freeze(fields.audience)
    this.issuedAt = fields.issued_at
    this.expiresAt = fields.expires_at
    this.anonymous = fields.anonymous
    this.#text = answer.slice(end + 1)
    Object.freeze(this)
  }

  /** The verified payload, decoded on first use. Its type is your promise: what is in it is Pomerium's configuration. */
  get claims(): C {
    return (this.#claims ??= JSON.parse(this.#text) as C)
  }

  /** The verified payload as its own JSON text, for another reader (for integers beyond 2^53, for example). */
  get claimsText(): string {
    return this.#text
  }

  /** Whether somebody is signed in. */
  get isUser(): boolean {
    return !this.anonymous
  }

  /** `expiresAt` as a Date; the last one there is for times beyond it. */
  get expiresAtDate(): Date {
    return new Date(Math.min(this.expiresAt * 1000, 8.64e15))
  }

  /** Whether the user is in this group. Throws VerifyError `invalid_argument` for anything but a string. */
  inGroup(group: string): boolean {
    if (typeof group !== 'string') throw made('invalid_argument', 'a group is a string: pass several one by one')
    return this.groups.includes(group)
  }

  /** Whether the user is in at least one of these groups. */
  inAnyGroup(...groups: readonly string[]): boolean {
    return groups.filter((group) => this.inGroup(group)).length > 0
  }

  /** Whether the user is in each of these groups. */
  inAllGroups(...groups: readonly string[]): boolean {
    return groups.filter((group) => this.inGroup(group)).length === groups.length
  }

  /** The typed fields, with the names that every language has. JSON.stringify calls it. */
  toJSON(): IdentityJson {
    return {
      subject: this.subject,
      user: this.user,
      email: this.email,
      name: this.name,
      groups: this.groups,
      session_id: this.sessionId,
      token_id: this.tokenId,
      issuer: this.issuer,
      audience: this.audience,
      issued_at: this.issuedAt,
      expires_at: this.expiresAt,
      anonymous: this.anonymous,
    }
  }

  /** @internal */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    const { anonymous, groups, issuer, expiresAt } = this
    return `Identity { anonymous: ${anonymous}, groups: ${groups.length}, issuer: ${JSON.stringify(issuer)}, expiresAt: ${expiresAt} }`
  }
}
