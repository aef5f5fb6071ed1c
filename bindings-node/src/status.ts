/** What operators see of a verifier: all that metrics and alerts need. Names are the core's, in camelCase. */

import { camelCase } from './names'

/** How good the keys in use are. */
export type State = 'static' | 'empty' | 'fresh' | 'aging' | 'old' | 'expired'

/** One key of the set in use, or one that was skipped. */
export interface KeyStatus {
  readonly kid: string | null
  readonly alg: string | null
  readonly thumbprint: string | null
  readonly usable: boolean
  /** Why it is not usable. */
  readonly reason: string | null
}

/** Why the keys could not be loaded. */
export interface LastError {
  readonly code: 'dns' | 'connect' | 'tls' | 'timeout' | 'status' | 'body' | 'refused' | 'spawn'
  readonly message: string
  /** When, in Unix seconds. */
  readonly at: number
}

/** What trust on first use has pinned. */
export interface Pinned {
  readonly issuer: string | null
  readonly audience: readonly string[] | null
}

/**
 * A verifier's state at one moment. Alert if `lastError` stays for minutes, if `keys` has no usable one, and on the codes
 * of status 503 in `counts`; never on `state` alone: an idle application is `old` after a few minutes and perfectly well.
 */
export interface Status {
  /** The option the keys come from, with its address or path. */
  readonly source: string
  readonly state: State
  /** Seconds since the set in use was asked for; null for static sources. */
  readonly age: number | null
  /** Seconds for which the set in use is fresh; null for static sources. */
  readonly ttl: number | null
  readonly keys: readonly KeyStatus[]
  /** When the keys were last read or fetched, in Unix seconds. */
  readonly lastSuccess: number | null
  /** The last failure since then. */
  readonly lastError: LastError | null
  /** Seconds until the next fetch may start; null for static sources. */
  readonly nextAttempt: number | null
  readonly pinned: Pinned | null
  /**
   * How many answers had which code, every code, also at 0; `ok` counts the verified ones, `passed` the admissions
   * without an identity.
   */
  readonly counts: { readonly [code: string]: number }
  readonly fetches: number
  readonly fetchFailures: number
  /** How long the last fetch took that ended, in seconds; null before the first, and for static sources. */
  readonly fetchSeconds: number | null
  /** Equal if two instances have the same keys: SHA-256 in hex over their thumbprints. null without keys. */
  readonly keySet: string | null
  readonly health: Health
  /** The line that an integration logs when it starts. */
  readonly summary: string
  readonly headerName: string
  readonly optional: boolean
  readonly exemptPaths: readonly string[]
  readonly requireGroup: readonly string[]
}

/**
 * For a health page, with the same names in every language. Ready is `keys_loaded || !asked`; `stale` is a warning. Never
 * a reason to restart the application: that does not bring a key server back.
 */
export interface Health {
  /** Always true: a verifier that exists is configured. */
  readonly configured: boolean
  /** Whether a fetch has been tried; true for static sources. */
  readonly asked: boolean
  /** Whether there is a usable key. Keys are fetched with the first token, or by refresh(). */
  readonly keys_loaded: boolean
  /** Whether the keys are older than they should be because the source fails. */
  readonly stale: boolean
}

export function toStatus(json: string): Status {
  const members = Object.entries(JSON.parse(json) as Record<string, unknown>)
  return Object.fromEntries(members.map(([name, value]) => [camelCase(name), value])) as unknown as Status
}
