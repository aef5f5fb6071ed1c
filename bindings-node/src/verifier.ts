/** The verifier as applications see it: options in, and waiting in the event loop. The rest is native. */

import { setMaxListeners } from 'node:events'

import { accepted, refused, VerifyError } from './errors'
import { type Claims, Identity } from './identity'
import { native, type NativeVerifier, type Refusal } from './native'
import { fromJson, type Options, toJson } from './options'
import { type Health, type Status, toHealth, toStatus } from './status'

/** A token: the raw text of the header X-Pomerium-Jwt-Assertion, "" if there is none, several joined by commas. */
export type Token = string | Uint8Array

/**
 * Verifies Pomerium's tokens. Make one per application: `new Verifier({ route: 'https://app.example.com' })`. There is
 * nothing to close.
 */
export class Verifier {
  /** The options as they were given. */
  readonly options: Options
  readonly #native: NativeVerifier
  #refreshing: Promise<Refusal | null> = Promise.resolve(null)
  #forced: Promise<Refusal | null> | undefined

  /**
   * Touches no network; files are read now. Throws VerifyError `invalid_options`, in a sentence that says what to write
   * instead.
   */
  constructor(options: Options) {
    this.#native = accepted(native.NativeVerifier.create(toJson(options)))
    this.options = Object.freeze({ ...options })
  }

  /**
   * A verifier with the options of the environment: POMERIUM_JWT_ROUTE and so on. Lists are separated by commas, objects
   * are JSON, booleans are true, false, 1 or 0; an empty variable counts as unset. Throws VerifyError `invalid_options`,
   * naming the variable.
   */
  static fromEnv(): Verifier {
    return new Verifier(fromJson(accepted(native.optionsFromEnv())))
  }

  /**
   * Who sent this token. Answers without leaving the event loop's turn where the keys are there. Where they have to be
   * fetched first, all callers wait for one fetch, at most `timeout`; libuv's threads stay free meanwhile.
   *
   * Rejects with VerifyError, or with the signal's reason as soon as it is aborted.
   */
  async verify<C = Claims>(token: Token, options?: { signal?: AbortSignal | undefined }): Promise<Identity<C>> {
    const signal = options?.signal
    signal?.throwIfAborted()
    const answer = this.#native.start(token)
    if (typeof answer === 'string') return Identity.of<C>(answer)
    if (answer.ticket === undefined) throw refused(answer)
    await unlessAborted(this.#refreshed(), signal)
    return Identity.of<C>(accepted(this.#native.finish(token, answer.ticket)))
  }

  /**
   * As verify, at once: where keys would have to be fetched first it throws VerifyError `keys_needed`, and fetches them
   * behind.
   */
  verifySync<C = Claims>(token: Token): Identity<C> {
    const answer = this.#native.start(token)
    if (typeof answer === 'string') return Identity.of<C>(answer)
    if (answer.ticket !== undefined) void this.#refreshed()
    throw refused(answer)
  }

  /**
   * As verify, at the time `now` in Unix seconds (0 to 2^53-1) instead of the clock's, with the keys at hand. Fetches and
   * pins nothing.
   */
  verifyAt<C = Claims>(token: Token, now: number): Identity<C> {
    return Identity.of<C>(accepted(this.#native.verifyAt(token, now)))
  }

  /**
   * Brings the keys up to date: joins a fetch in flight or starts one that is due. `force` is for operators and for
   * warming up: it fetches at once, at most once a second. Rejects with VerifyError `keys_unavailable`.
   */
  async refresh({ force = false }: { force?: boolean | undefined } = {}): Promise<void> {
    if (typeof force !== 'boolean') throw new VerifyError('invalid_argument', 'force takes true or false')
    const refusal = await (force ? this.#forcedRefresh() : this.#refreshed())
    if (refusal) throw refused(refusal)
  }

  /** The state of keys, pins and counters. Never waits and never fetches. */
  status(): Status {
    return toStatus(accepted(this.#native.status()))
  }

  /** The status in short, for a health page. */
  health(): Health {
    return toHealth(this.status())
  }

  /** The one refresh that all callers wait for. It never rejects: the final answer says why there are no keys. */
  #refreshed(): Promise<Refusal | null> {
    if (!this.#native.refreshing) this.#refreshing = this.#native.refresh(false)
    return this.#refreshing
  }

  #forcedRefresh(): Promise<Refusal | null> {
    return (this.#forced ??= this.#native.refresh(true).finally(() => (this.#forced = undefined)))
  }
}

/** Waits, but not longer than until the signal is aborted; then rejects with its reason. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    // Those who wait may share a signal, of the server's end for example: many listeners are no leak here
    setMaxListeners(0, signal)
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
