/** What operators see of a verifier: all that metrics and alerts need. Names are the core's, in camelCase. */

import { camelCase } from './options'

/** How good the keys in use are. */
export type State = 'static' | 'empty' | 'fresh' | 'aging' | 'old' | 'expired'

/** One key of the set in use, or one that was passed over. */
export interface KeyStatus {
  readonly kid: string | null
  readonly alg: string | null
  readonly thumbprint: string | null
  readonly usable: boolean
  /** Why it is not usable. */
  readonly reason: string | null
}

/** Why keys could not be had. */
export interface LastError {
  readonly code: 'dns' | 'connect' | 'tls' | 'timeout' | 'status' | 'body' | 'refused' | 'spawn'
  readonly message: string
  /** When, in Unix seconds. */
  readonly at: number
}

/** What trust on first use holds on to. */
export interface Pinned {
  readonly issuer: string | null
  readonly audience: readonly string[] | null
}

/** A verifier's state at one moment. Alert when `state` is old or expired, or when `lastError` stays. */
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
  /** The line that an integration logs when it starts. */
  readonly summary: string
  readonly headerName: string
  readonly optional: boolean
  readonly exemptPaths: readonly string[]
  readonly requireGroup: readonly string[]
}

/** For a health page. Never a reason to restart the application: that brings no key server back. */
export interface Health {
  /** Always true: a verifier that exists is configured. */
  readonly configured: boolean
  /** Whether there are keys that tokens are judged with. They are fetched with the first token, or by refresh(). */
  readonly keysLoaded: boolean
  /** Whether the keys are older than they should be: the source fails, or nobody has called for a while. */
  readonly stale: boolean
  readonly state: State
}

export function toStatus(json: string): Status {
  const members = Object.entries(JSON.parse(json) as Record<string, unknown>)
  return Object.fromEntries(members.map(([name, value]) => [camelCase(name), value])) as unknown as Status
}

export function toHealth({ state }: Status): Health {
  const keysLoaded = state !== 'empty' && state !== 'expired'
  return { configured: true, keysLoaded, stale: state === 'old' || state === 'expired', state }
}
