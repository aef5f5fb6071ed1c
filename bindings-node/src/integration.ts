/** What all integrations share: their options, the question to the core, and the answer to a refused request. */

import { type IncomingMessage, type ServerResponse, validateHeaderValue } from 'node:http'
import { isUint8Array } from 'node:util/types'

import { invalidOptions, made, VerifyError } from './errors'
import type { Identity } from './identity'
import { Log, type Logger } from './log'
import { type Options, plain } from './options'
import { factsOf, type IncomingRequest, shownPath } from './request'
import { Verifier } from './verifier'

declare module 'http' {
  // Express's requests and those of ws extend it
  interface IncomingMessage {
    /** Who is calling; undefined if the request passed without an identity. Read-only. */
    readonly pomerium?: Identity | undefined
  }
}

/** Options of an integration, in addition to those of the Verifier: what cannot be data. */
export interface IntegrationOptions {
  /** A verifier made before: then the environment is not read, and of its options only the request options can differ. */
  verifier?: Verifier | undefined
  /** Renders a refusal. It cannot change status and headers. */
  errorHandler?: ((error: VerifyError, request: IncomingMessage) => Rendered | Promise<Rendered>) | undefined
  /**
   * Called with code, reason and path of each refusal, and awaited, instead of a warning in the log (which is at most one
   * line a second for each code).
   */
  onRefused?: ((code: string, reason: string, path: string) => void | Promise<void>) | undefined
  /** Where the line at start and refusals are logged. Default: `console.warn`, that is standard error. */
  logger?: Logger | undefined
}

/** The options of a Verifier, laid over those of the environment, and those of an integration. */
export type PomeriumOptions = Options & IntegrationOptions

/** What an errorHandler makes of a refusal. */
export interface Rendered {
  /** Such as "text/html; charset=utf-8". */
  contentType: string
  body: string | Uint8Array
}

/** Asks the core about each request. Throws VerifyError for invalid options, so that the application stops at start. */
export class Integration {
  readonly verifier: Verifier
  readonly #headerName: string
  readonly #errorHandler: IntegrationOptions['errorHandler']
  readonly #onRefused: NonNullable<IntegrationOptions['onRefused']>

  constructor(options: PomeriumOptions = {}) {
    const { verifier, errorHandler, onRefused, logger, ...others } = plain(options)
    check({ verifier, errorHandler, onRefused, logger })
    const log = Log.to(logger)
    this.#errorHandler = errorHandler
    this.#onRefused = onRefused ?? ((code, reason, path) => log.refused(code, reason, path))
    this.verifier = verifier ? withRequestOptions(verifier, others) : overEnvironment(others, log)
    this.#headerName = this.verifier.headerName.toLowerCase()
    if (!announced.has(this.verifier)) log.info(this.verifier.summary)
    announced.add(this.verifier)
  }

  /**
   * Makes the request's `pomerium` who sent it, which nothing that merges a body into the request can replace; undefined
   * if it passes without an identity. Rejects with VerifyError. `upgrade` if the server itself reports one.
   */
  async admit(request: IncomingRequest, upgrade = false): Promise<Identity | undefined> {
    const identity = await this.verifier.admit(factsOf(request, this.#headerName, upgrade))
    admissions.set(request, { integration: this, identity })
    // writable is said: a property that is there already would keep its own
    const frozen = { value: identity, enumerable: true, configurable: true, writable: false }
    Object.defineProperty(request, 'pomerium', frozen)
    return identity
  }

  /** Answers a request that was refused, and reports it. Rejects with anything else that went wrong, before anything is sent. */
  async answer(error: unknown, request: IncomingRequest, response: ServerResponse): Promise<void> {
    if (!(error instanceof VerifyError)) throw error
    // Awaited: a hook that fails later fails this request, and not the process
    await this.#onRefused(error.code, error.reason, shownPath(request))
    const rendered = this.#errorHandler && sendable(await this.#errorHandler(error, request))
    send(request, response, error, rendered)
  }
}

/** What was decided about each request. Apart from the request's own properties, which other code can set. */
export const admissions = new WeakMap<IncomingMessage, { integration: Integration; identity: Identity | undefined }>()

/** The verifiers whose line has been logged: an application may hand one to several integrations. */
const announced = new WeakSet<Verifier>()

/** Answers with 500 if the application's own hooks failed, and tells the log why. */
export function fail(fault: unknown, request: IncomingMessage, response: ServerResponse): void {
  console.error(fault)
  // A hook can find the response, and may have begun it
  if (response.headersSent) response.destroy()
  else send(request, response, made('internal', 'a hook of the application failed'))
}

function withRequestOptions(verifier: Verifier, options: Options): Verifier {
  return Object.values(options).every((value) => value === undefined) ? verifier : verifier.with(options)
}

function overEnvironment(options: Options, log: Log): Verifier {
  const { verifier, warning } = Verifier.overEnv(options)
  if (warning) log.warn(warning)
  return verifier
}

/** The response is the error's, but for what was rendered. */
function send(request: IncomingMessage, response: ServerResponse, error: VerifyError, rendered?: Rendered): void {
  const { contentType, body } = rendered ?? { contentType: error.headers['Content-Type'], body: error.body }
  const headers = { ...error.headers, 'Content-Type': contentType!, 'Content-Length': Buffer.byteLength(body) }
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  response.statusCode = error.status
  // HTTP/1 leaves out the body of its own accord
  response.end(request.headers[':method'] === 'HEAD' ? undefined : body)
}

/** What an errorHandler gave, checked before anything of it is sent. */
function sendable(rendered: unknown): Rendered {
  const { contentType, body } = (rendered ?? {}) as Partial<Rendered>
  if (typeof contentType !== 'string' || !(typeof body === 'string' || isUint8Array(body))) {
    throw new TypeError('errorHandler gives { contentType, body }: a string, and a string or a Uint8Array')
  }
  validateHeaderValue('Content-Type', contentType)
  return { contentType, body }
}

/** What each option of an integration takes, and whether a value is one. */
const TAKES: Record<keyof IntegrationOptions, [string, (value: any) => boolean]> = {
  verifier: ['a Verifier', (value) => value instanceof Verifier],
  errorHandler: ['a function', isFunction],
  onRefused: ['a function', isFunction],
  logger: ['a logger with info and warn', (value) => isFunction(value?.info) && isFunction(value?.warn)],
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function'
}

function check(options: IntegrationOptions): void {
  for (const [name, [what, accepts]] of Object.entries(TAKES)) {
    const value: unknown = options[name as keyof IntegrationOptions]
    if (value !== undefined && !accepts(value)) throw invalidOptions(`${name} takes ${what}`)
  }
}
