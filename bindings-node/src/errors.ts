import { native, type Refusal } from './native'
import { inOurWords } from './names'

/** Every code, stable and the same in every language. Compared with conformance/codes.json by a test. */
export type Code =
  | 'invalid_options'
  | 'invalid_argument'
  | 'token_missing'
  | 'token_repeated'
  | 'token_too_large'
  | 'token_malformed'
  | 'algorithm_not_allowed'
  | 'header_unsupported'
  | 'key_not_found'
  | 'signature_invalid'
  | 'claims_malformed'
  | 'token_expired'
  | 'token_not_yet_valid'
  | 'token_issued_in_future'
  | 'token_too_old'
  | 'issuer_mismatch'
  | 'audience_mismatch'
  | 'subject_missing'
  | 'claim_mismatch'
  | 'keys_unavailable'
  | 'keys_needed'
  | 'keys_empty'
  | 'group_required'
  | 'internal'

/** What an error is about: the configuration or call, the token, the keys, the user's rights, or a fault. */
export type Kind = 'options' | 'token' | 'keys' | 'access' | 'internal'

/**
 * Why a token or a request is refused, or why the options are invalid.
 *
 * Frameworks answer with the `message` of what is thrown: it is the code alone, such as "token_expired" (for the kind
 * `options`, which is the developer's own mistake, it is the sentence). `reason` is the sentence for the log and never
 * for the HTTP client: it may name expected issuers and key ids. It never quotes the token, and values from its payload
 * only if the signature was valid.
 */
export class VerifyError extends Error {
  /** The stable name, such as "token_expired". */
  readonly code: Code
  /** The stable number of the code. */
  readonly number: number
  /** What the error is about. */
  readonly kind: Kind
  /** The HTTP status to answer with: 401, 403, 500 or 503. */
  readonly status: number
  /** One sentence with the facts that help, for the log. */
  readonly reason: string
  /** Seconds after which another attempt can succeed; undefined if time alone does not help. */
  declare readonly retryAfter?: number
  readonly #refusal: Refusal

  /** @internal */
  static of(refusal: Refusal): VerifyError {
    return new VerifyError(refusal)
  }

  /** @internal The same refusal in other words, which may reach the client. */
  static saying(message: string, cause: VerifyError): VerifyError {
    return new VerifyError(cause.#refusal, { message, cause })
  }

  private constructor(refusal: Refusal, { message, ...cause }: { message?: string; cause?: VerifyError } = {}) {
    const code = refusal.code as Code
    const { number, kind, status } = FACTS.get(code)!
    const reason = inOurWords(refusal.message)
    super(message ?? (kind === 'options' ? reason : code), cause)
    this.code = code
    this.number = number
    this.kind = kind as Kind
    this.status = status
    this.reason = reason
    const retryAfter = refusal.headers['Retry-After']
    if (retryAfter !== undefined) this.retryAfter = Number(retryAfter)
    this.#refusal = refusal
  }

  /** The headers of the HTTP response: Content-Type, Cache-Control, and WWW-Authenticate or Retry-After. */
  get headers(): { readonly [name: string]: string } {
    return { ...this.#refusal.headers }
  }

  /** The body of the HTTP response: `{"error":"token_expired"}`. */
  get body(): string {
    return this.#refusal.body
  }

  /** What JSON.stringify shows: no more than the client may see. */
  toJSON(): { error: Code } {
    return { error: this.code }
  }
}

// As Error has it: on the prototype, so that it is not printed with the properties
Object.defineProperty(VerifyError.prototype, 'name', { value: 'VerifyError', configurable: true, writable: true })

const FACTS = new Map(native.codes().map((row) => [row.code, row]))

/** What the native half returned, or its refusal thrown. */
export function accepted<T extends string | object | null>(outcome: T | Refusal): T {
  if (typeof outcome === 'object' && outcome !== null && 'code' in outcome) throw VerifyError.of(outcome)
  return outcome
}

/** An error that the native half has not seen. */
export function made(code: Code, reason: string): VerifyError {
  return VerifyError.of(native.refusal(code, reason))
}

/** For options that cannot even be handed to the core. */
export function invalidOptions(reason: string): VerifyError {
  return made('invalid_options', reason)
}
