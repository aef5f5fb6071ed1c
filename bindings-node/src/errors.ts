import { native, type Refusal } from './native'

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
 * Why there is no verified identity. The message is for logs, never for the HTTP client: it may name expected issuers
 * and key ids. It never quotes the token, and values from its payload only after the signature held.
 */
export class VerifyError extends Error {
  /** The stable name, such as "token_expired". */
  readonly code: Code
  /** The stable number of the code. */
  readonly number: number
  /** What the error is about. */
  readonly kind: Kind
  /** The HTTP status to answer with: 401, 403, 503 or 500. */
  readonly status: number
  /** Seconds after which another attempt can succeed, for the header Retry-After; undefined where no time helps. */
  readonly retryAfter?: number

  /** number, kind and status follow from the code. */
  constructor(code: Code, message: string, options: { retryAfter?: number | undefined; cause?: unknown } = {}) {
    const { retryAfter, ...causes } = options
    super(message, causes)
    const { number, kind, status } = facts(code)
    this.code = code
    this.number = number
    this.kind = kind as Kind
    this.status = status
    if (retryAfter !== undefined) this.retryAfter = retryAfter
  }
}

// As Error has it: on the prototype, so that it is not printed with the properties
Object.defineProperty(VerifyError.prototype, 'name', { value: 'VerifyError', configurable: true, writable: true })

/** What the native half returned, or its refusal thrown. */
export function accepted<T extends string | object>(outcome: T | Refusal): T {
  if (typeof outcome === 'object' && 'code' in outcome) throw refused(outcome)
  return outcome
}

/** A refusal of the native half as an error. */
export function refused({ code, message, retryAfter }: Refusal): VerifyError {
  return new VerifyError(code as Code, message, { retryAfter })
}

/** For options that cannot even be handed to the core. */
export function invalidOptions(message: string): VerifyError {
  return new VerifyError('invalid_options', message)
}

const FACTS = new Map(native.codes().map((row) => [row.code, row]))

function facts(code: Code): { number: number; kind: string; status: number } {
  const found = FACTS.get(code)
  if (!found) throw new TypeError(`${String(code)} is no code of a VerifyError`)
  return found
}
