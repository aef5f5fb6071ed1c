/** The verifier as applications see it: options in, and waiting in the event loop. The rest is native. */

import { setMaxListeners } from 'node:events'

import { accepted, made, VerifyError } from './errors'
import { type Claims, Identity } from './identity'
import { native, type NativeVerifier, type Refusal } from './native'
import { type Options, type RequestOptions, toJson } from './options'
import { type Health, type Status, toStatus } from './status'

/** A token: the raw text of the header X-Pomerium-Jwt-Assertion, "" if there is none, several joined by commas. */
export type Token = string | Uint8Array

/** The facts of a request, as an integration finds them. Their meaning is exact; read each before collecting it. */
export interface RequestFacts {
  /** All values of the header, joined by `,`; "" if there are none. */
  readonly token: Token
  /**
   * The path as the client sent it, whole (with the prefix under which the application is mounted), undecoded and without
   * the query. "", which is never exempt, if what comes later routes by something else.
   */
  readonly path?: string | undefined
  /** Whether the request asks for an upgrade, such as a WebSocket: never exempt. */
  readonly upgrade?: boolean | undefined
  /** Whether the framework itself marks this endpoint as public. */
  readonly markedPublic?: boolean | undefined
}

/** How long to wait. */
export interface Waiting {
  /** Ends the wait for keys; rejects with its reason. */
  signal?: AbortSignal | undefined
}

/** What verifiers with the same keys share: the native half, and the one refresh that all callers wait for. */
class Core {
  readonly native: NativeVerifier
  readonly refreshes: { joined: Promise<Refusal | null>; forced: Promise<Refusal | null> | undefined }

  constructor(native: NativeVerifier, { refreshes }: Partial<Core> = {}) {
    this.native = native
    this.refreshes = refreshes ?? { joined: Promise.resolve(null), forced: undefined }
  }
}

/**
 * Verifies Pomerium's tokens. Make one per application: `new Verifier({ route: 'https://app.example.com' })`. There is
 * nothing to close.
 */
export class Verifier {
  readonly #core: Core

  /** Touches no network; files are read now. Throws VerifyError `invalid_options`, in a sentence that says what to write. */
  constructor(options: Options)
  /** @internal */
  constructor(core: Core)
  constructor(given: Options | Core) {
    this.#core = given instanceof Core ? given : created(toJson(given))
  }

  /**
   * A verifier with the options of the environment: POMERIUM_JWT_ROUTE and so on. Lists are separated by commas, or JSON
   * if they begin with `[`; objects are JSON, booleans are true, false, 1 or 0; an empty variable counts as unset. Throws
   * VerifyError `invalid_options`, naming the variable, also for a variable with this prefix that is not an option.
   */
  static fromEnv(): Verifier {
    return new Verifier(created(accepted(native.optionsFromEnv())))
  }

  /** @internal These options laid over the environment's, and what to warn of. */
  static overEnv(options: Options): { verifier: Verifier; warning?: string } {
    const { options: json, ...warning } = accepted(native.optionsOverEnv(toJson(options)))
    return { verifier: new Verifier(created(json)), ...warning }
  }

  /**
   * A verifier with other request options over the same keys, pins and counts: for two mounts of one application, or for
   * HTTP and WebSockets. What `options` do not name stays as it is here.
   */
  with(options: RequestOptions): Verifier {
    return new Verifier(new Core(accepted(this.#core.native.with(toJson(options))), this.#core))
  }

  /**
   * Who sent this token. If the keys are loaded, it answers within the same turn of the event loop. If they have to be
   * fetched first, all callers wait for one fetch, at most `timeout`; libuv's threads stay free meanwhile.
   *
   * Rejects with VerifyError, or with the signal's reason as soon as it is aborted.
   */
  async verify<C = Claims>(token: Token, waiting?: Waiting): Promise<Identity<C>> {
    return Identity.of<C>(await this.#twoSteps((ticket) => this.#core.native.verify(token, ticket), waiting?.signal))
  }

  /**
   * Whether a request gets in, and who sent it; undefined if it passed without an identity. This is what every
   * integration calls, and it waits as `verify` does.
   *
   * In this order: a request whose path is in `exemptPaths` passes, unless it is an upgrade; one without a token passes if
   * `optional` is set, or if its endpoint is marked as public and it is not an upgrade; `verify` decides everything else.
   *
   * Rejects with VerifyError. The response is its `status`, `headers` and `body`.
   */
  async admit<C = Claims>(request: RequestFacts, waiting?: Waiting): Promise<Identity<C> | undefined> {
    // A copy that inherits nothing: a polluted prototype must not mark requests as public
    const facts: RequestFacts = Object.assign(Object.create(null), request)
    const { token, path = '', upgrade = false, markedPublic = false } = facts
    if (typeof upgrade !== 'boolean' || typeof markedPublic !== 'boolean') {
      throw made('invalid_argument', 'upgrade and markedPublic are true or false')
    }
    const answer = await this.#twoSteps(
      (ticket) => this.#core.native.admit(token, path, upgrade, markedPublic, ticket),
      waiting?.signal,
    )
    return answer === null ? undefined : Identity.of<C>(answer)
  }

  /**
   * As verify, at once: if keys would have to be fetched first, it throws VerifyError `keys_needed` and starts the fetch in
   * the background.
   */
  verifySync<C = Claims>(token: Token): Identity<C> {
    const answer = this.#core.native.verify(token)
    if (typeof answer === 'string') return Identity.of<C>(answer)
    if (answer.ticket === undefined) throw VerifyError.of(answer)
    void this.#refreshed()
    throw made('keys_needed', 'the keys have to be fetched first, which has begun: try again later, or await verify()')
  }

  /**
   * As verify, at the time `now` in Unix seconds (0 to 2^53-1) instead of the clock's, with the keys at hand. Fetches and
   * pins nothing.
   */
  verifyAt<C = Claims>(token: Token, now: number): Identity<C> {
    return Identity.of<C>(accepted(this.#core.native.verifyAt(token, now)))
  }

  /**
   * Brings the keys up to date: joins a running fetch or starts one that is due. `force` is for operators and for warming
   * up: it fetches at once, at most once a second. Rejects with VerifyError `keys_unavailable`.
   */
  async refresh({ force = false }: { force?: boolean | undefined } = {}): Promise<void> {
    if (typeof force !== 'boolean') throw made('invalid_argument', 'force is true or false')
    const refusal = await (force ? this.#forcedRefresh() : this.#refreshed())
    if (refusal) throw VerifyError.of(refusal)
  }

  /** The state of keys, pins and counters. Never waits; while no usable key is loaded it starts a fetch that is due. */
  status(): Status {
    return toStatus(accepted(this.#core.native.status()))
  }

  /** The status in short, for a health page. Never waits; while no usable key is loaded it starts a fetch that is due. */
  health(): Health {
    return JSON.parse(accepted(this.#core.native.health())) as Health
  }

  /**
   * What a monitoring system scrapes, in the text format of OpenMetrics 1.0
   * (`application/openmetrics-text; version=1.0.0; charset=utf-8`). It holds no user, path or token.
   */
  metrics(): string {
    return accepted(this.#core.native.metrics())
  }

  /** The line that an integration logs at start: what is accepted, where the keys come from, and the request options. */
  get summary(): string {
    return this.#core.native.summary
  }

  /** The option `headerName`: the request header that carries the token. */
  get headerName(): string {
    return this.#core.native.headerName
  }

  /** What the core answers, after one refresh if it asks for one. */
  async #twoSteps<T extends string | null>(
    ask: (ticket?: bigint) => T | Refusal,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    signal?.throwIfAborted()
    const answer = ask()
    if (typeof answer !== 'object' || answer === null || answer.ticket === undefined) return accepted(answer)
    await unlessAborted(this.#refreshed(), signal)
    return accepted(ask(answer.ticket))
  }

  /** The one refresh that all callers wait for. It never rejects: the final answer says why there are no keys. */
  #refreshed(): Promise<Refusal | null> {
    const { native, refreshes } = this.#core
    if (!native.refreshing) refreshes.joined = native.refresh(false)
    return refreshes.joined
  }

  #forcedRefresh(): Promise<Refusal | null> {
    const { native, refreshes } = this.#core
    return (refreshes.forced ??= native.refresh(true).finally(() => (refreshes.forced = undefined)))
  }
}

function created(json: string): Core {
  return new Core(accepted(native.NativeVerifier.create(json)))
}

/** Waits, but not longer than until the signal is aborted; then rejects with its reason. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    // Many callers may share a signal, such as one for the server's end: many listeners are not a leak here
    setMaxListeners(0, signal)
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
