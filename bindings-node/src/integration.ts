/** What all integrations share: their options, the question to the core, and the answer to a refused request. */

import { type IncomingMessage, validateHeaderValue } from 'node:http'
import { isUint8Array } from 'node:util/types'

import { invalidOptions, made, VerifyError } from './errors'
import type { Identity } from './identity'
import { Log, type Logger } from './log'
import { type Options, plain } from './options'
import { type RequestFacts, Verifier } from './verifier'

declare module 'http' {
  // Express's requests and those of ws extend it
  interface IncomingMessage {
    /** Who is calling; undefined if the request passed without an identity. Read-only. */
    readonly pomerium?: Identity | undefined
  }
}

/** Options of an integration, in addition to those of the Verifier: what cannot be data. */
export interface IntegrationOptions<Request = IncomingMessage> {
  /** A verifier made before: then the environment is not read, and of its options only the request options can differ. */
  verifier?: Verifier | undefined
  /** Renders a refusal. It cannot change status and headers. */
  errorHandler?: ((error: VerifyError, request: Request) => Rendered | Promise<Rendered>) | undefined
  /**
   * Called with code, reason and path of each refusal, and awaited, instead of a warning in the log (which is at most one
   * line a second for each code).
   */
  onRefused?: ((code: string, reason: string, path: string) => void | Promise<void>) | undefined
  /** Where the line at start and refusals are logged. Default: `console.warn`, that is standard error. */
  logger?: Logger | undefined
}

/** The options of a Verifier, laid over those of the environment, and those of an integration. */
export type PomeriumOptions<Request = IncomingMessage> = Options & IntegrationOptions<Request>

/** What an errorHandler makes of a refusal. */
export interface Rendered {
  /** Such as "text/html; charset=utf-8". */
  contentType: string
  body: string | Uint8Array
}

/** The response to a request that was refused. */
export interface Answer {
  readonly status: number
  readonly headers: { readonly [name: string]: string }
  readonly body: string | Uint8Array
}

/**
 * Who is calling, in a handler. Requests pass without an identity if `optional` or `exemptPaths` say so, here or in the
 * environment: if the code sets `optional: false` and `exemptPaths: []`, which win over the environment, none does.
 */
export type Caller<Given> = Given extends { optional: false; exemptPaths: readonly [] }
  ? Identity
  : Identity | undefined

/** Asks the core about each request. Throws VerifyError for invalid options, so that the application stops at start. */
export class Integration<Request extends object = IncomingMessage> {
  readonly verifier: Verifier
  /** The header that carries the token, in lower case. */
  readonly headerName: string
  readonly #errorHandler: IntegrationOptions<Request>['errorHandler']
  readonly #onRefused: NonNullable<IntegrationOptions['onRefused']>

  constructor(options: PomeriumOptions<Request> = {}) {
    const { verifier, errorHandler, onRefused, logger, ...others } = plain(options)
    check({ verifier, errorHandler, onRefused, logger })
    const log = Log.to(logger)
    this.#errorHandler = errorHandler
    this.#onRefused = onRefused ?? ((code, reason, path) => log.refused(code, reason, path))
    this.verifier = verifier ? withRequestOptions(verifier, others) : overEnvironment(others, log)
    this.headerName = this.verifier.headerName.toLowerCase()
    if (!announced.has(this.verifier)) log.info(this.verifier.summary)
    announced.add(this.verifier)
  }

  /** Who sent this request; undefined if it passes without an identity. Rejects with VerifyError. */
  async admit(request: Request, facts: RequestFacts): Promise<Identity | undefined> {
    const identity = await this.verifier.admit(facts)
    admissions.set(request, { integration: this as Integration<any>, identity })
    return identity
  }

  /** Reports a refusal, and gives the response to it. Rejects with anything else that went wrong. */
  async answer(error: unknown, request: Request, path: string): Promise<Answer> {
    if (!(error instanceof VerifyError)) throw error
    // Awaited: a hook that fails later fails this request, and not the process
    await this.#onRefused(error.code, error.reason, path)
    const rendered = this.#errorHandler && sendable(await this.#errorHandler(error, request))
    return answerTo(error, rendered)
  }

  /** As `answer`; if a hook of the application fails, the log is told why and the answer is a 500. */
  async answerAnyhow(error: unknown, request: Request, path: string): Promise<Answer> {
    return this.answer(error, request, path).catch(failed)
  }
}

/** What was decided about each request. Apart from the request's own properties, which other code can set. */
export const admissions = new WeakMap<object, { integration: Integration<any>; identity: Identity | undefined }>()

/** The verifiers whose line has been logged: an application may hand one to several integrations. */
const announced = new WeakSet<Verifier>()

/** The response is the error's, but for what was rendered. */
export function answerTo(error: VerifyError, rendered?: Rendered): Answer {
  const { contentType, body } = rendered ?? { contentType: error.headers['Content-Type']!, body: error.body }
  return { status: error.status, headers: { ...error.headers, 'Content-Type': contentType }, body }
}

/** The answer if the application's own hooks failed; the log is told why. */
export function failed(fault: unknown): Answer {
  console.error(fault)
  return answerTo(made('internal', 'a hook of the application failed'))
}

/**
 * What one route demands: the answer to a request that does not meet it, and else nothing. Throws an error if nothing has
 * been verified before.
 */
export async function demanded(
  request: object,
  path: string,
  check: (identity: Identity | undefined) => Identity,
): Promise<Answer | undefined> {
  const admission = admissions.get(request)
  if (!admission) throw nothingVerified()
  try {
    check(admission.identity)
    return undefined
  } catch (error) {
    return admission.integration.answerAnyhow(error, request, path)
  }
}

/** For a demand in front of which no integration stands. */
export function nothingVerified(): Error {
  return new Error('no pomerium() has run before, so nothing has been verified')
}

function withRequestOptions(verifier: Verifier, options: Options): Verifier {
  return Object.values(options).every((value) => value === undefined) ? verifier : verifier.with(options)
}

function overEnvironment(options: Options, log: Log): Verifier {
  const { verifier, warning } = Verifier.overEnv(options)
  if (warning) log.warn(warning)
  return verifier
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

function check(options: IntegrationOptions<any>): void {
  for (const [name, [what, accepts]] of Object.entries(TAKES)) {
    const value: unknown = options[name as keyof IntegrationOptions]
    if (value !== undefined && !accepts(value)) throw invalidOptions(`${name} takes ${what}`)
  }
}
