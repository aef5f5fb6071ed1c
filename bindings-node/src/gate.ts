/** What all integrations share: their own options, who gets in, and what the others are told. */

import { type IncomingMessage, type ServerResponse, validateHeaderValue } from 'node:http'
import { isUint8Array } from 'node:util/types'

import { invalidOptions } from './errors'
import { type Identity, type List, type Options, Verifier, VerifyError } from './index'
import { checkOwn } from './options'
import { isPreflight, withoutContent } from './preflight'

declare module 'http' {
  // Express's requests and those of ws extend it
  interface IncomingMessage {
    /** Who is calling; undefined where a request passed without an identity. Read-only. */
    readonly pomerium?: Identity | undefined
  }
}

/** Options of an integration, beside those of the Verifier. */
export interface GateOptions {
  /** A verifier of your own, instead of its options. */
  verifier?: Verifier | undefined
  /** Renders a refusal. The status stays the refusal's, whatever it makes of it. */
  errorHandler?: ((refusal: Refusal, request: IncomingMessage) => Rendered | Promise<Rendered>) | undefined
  /** Called with code, message and path of each refusal, and awaited, instead of a warning on standard error. */
  onRefused?: ((code: string, message: string, path: string) => void | Promise<void>) | undefined
}

/**
 * The options of a Verifier and those of an integration. Without one of the Verifier's, and without a `verifier`, the
 * environment has them (Verifier.fromEnv).
 */
export type PomeriumOptions = Options & GateOptions

/** Why a request is answered without the application. The code is for the client, the message for the log. */
export interface Refusal {
  /** Such as "token_expired", or "group_required". */
  readonly code: string
  /** 401, 403, 500 or 503. */
  readonly status: number
  /** One sentence with the facts that help, for the log and never for the client. */
  readonly message: string
  /** Seconds after which another attempt can succeed, which the client is told in Retry-After. */
  readonly retryAfter?: number | undefined
}

/** What an errorHandler makes of a refusal. */
export interface Rendered {
  /** Such as "text/html; charset=utf-8". */
  contentType: string
  body: string | Uint8Array
}

/** Thrown by a Gate for a request that is refused; `refusal` says why. */
export class Refused extends Error {
  readonly refusal: Refusal

  constructor(refusal: Refusal, options?: ErrorOptions) {
    super(`${refusal.code}: ${refusal.message}`, options)
    this.name = 'Refused'
    this.refusal = refusal
  }
}

/** A request as the integrations see it: Express and Connect add where they are mounted. */
export type GateRequest = IncomingMessage & { originalUrl?: string; baseUrl?: string }

/** Decides who gets in. Throws VerifyError for options that are none, so that the application stops at start. */
export class Gate {
  readonly verifier: Verifier
  readonly #header: string
  readonly #optional: boolean
  readonly #exempt: ReadonlySet<string>
  readonly #groups: readonly string[]
  readonly #errorHandler: GateOptions['errorHandler']
  readonly #onRefused: NonNullable<GateOptions['onRefused']>

  constructor(options: PomeriumOptions = {}) {
    checkOwn(options)
    const { verifier, headerName, optional, exemptPaths, errorHandler, onRefused, requireGroup, ...others } = options
    check({ verifier, headerName, optional, exemptPaths, errorHandler, onRefused, requireGroup })
    const names = Object.entries(others).flatMap(([name, value]) => (value === undefined ? [] : [name]))
    if (verifier && names.length > 0) {
      throw invalidOptions(`a verifier of your own already has its options: leave out ${names.join(', ')}`)
    }
    const header = headerName ?? 'X-Pomerium-Jwt-Assertion'
    this.#header = header.toLowerCase()
    this.#optional = optional ?? false
    // Encoded once, so that no path that a client sends is ever decoded
    this.#exempt = new Set(list(exemptPaths).map((path) => encodeURI(path)))
    this.#groups = list(requireGroup)
    this.#errorHandler = errorHandler
    this.#onRefused = onRefused ?? warn
    this.verifier = verifier ?? (names.length > 0 ? new Verifier(others) : Verifier.fromEnv())
    announce(this.verifier, header)
  }

  /**
   * Who sent this request; undefined where it passes without an identity. Throws Refused.
   *
   * A CORS preflight passes, and its response will have no content. What has no response, an upgrade, is none.
   */
  async admit(request: GateRequest, response?: ServerResponse): Promise<Identity | undefined> {
    const preflight = response !== undefined && isPreflight(request)
    if (preflight) withoutContent(response)
    const passes = preflight || this.#exempt.has(servedPath(request))
    const identity = passes ? undefined : await this.#verify(request)
    if (identity && this.#groups.length > 0) this.checkGroup(identity, this.#groups)
    admissions.set(request, { gate: this, identity })
    return identity
  }

  /** Throws Refused where nobody is signed in. */
  checkUser(identity: Identity | undefined): Identity {
    if (!identity) {
      const message = 'the request passed without an identity, this needs one'
      throw new Refused({ code: 'token_missing', status: 401, message })
    }
    if (identity.anonymous) {
      throw new Refused({ code: 'subject_missing', status: 401, message: 'nobody is signed in, this needs a user' })
    }
    return identity
  }

  /** Throws Refused where nobody is signed in, or where the user is in none of these groups. */
  checkGroup(identity: Identity | undefined, groups: readonly string[]): void {
    if (!this.checkUser(identity).inAnyGroup(...groups)) {
      const message = `the user is in none of ${groups.join(', ')}`
      throw new Refused({ code: 'group_required', status: 403, message })
    }
  }

  /** Answers a request that was refused, and reports it. Rejects with whatever else went wrong, before anything is sent. */
  async answer(error: unknown, request: GateRequest, response: ServerResponse): Promise<void> {
    if (!(error instanceof Refused)) throw error
    const { refusal } = error
    // Awaited: a hook that fails later on fails this request, and not the process
    await this.#onRefused(refusal.code, refusal.message, pathname(request.originalUrl ?? request.url))
    const rendered = (await this.#errorHandler?.(refusal, request)) ?? {
      contentType: 'application/json',
      body: `{"error":"${refusal.code}"}`,
    }
    send(response, refusal.status, rendered, refusal.retryAfter)
  }

  async #verify(request: GateRequest): Promise<Identity | undefined> {
    try {
      return await this.verifier.verify(headerText(request, this.#header))
    } catch (error) {
      if (!(error instanceof VerifyError)) throw error
      if (this.#optional && error.code === 'token_missing') return undefined
      const { code, status, message, retryAfter } = error
      throw new Refused({ code, status, message, retryAfter }, { cause: error })
    }
  }
}

/** What was decided about each request. Apart from the request's own properties, which other code can set. */
export const admissions = new WeakMap<IncomingMessage, { gate: Gate; identity: Identity | undefined }>()

/** Makes the identity the request's `pomerium`, which nothing that merges a body into the request can replace. */
export function attach(request: IncomingMessage, identity: Identity | undefined): void {
  Object.defineProperty(request, 'pomerium', { value: identity, enumerable: true, configurable: true, writable: false })
}

/** Answers with 500 where the application's own hooks failed, and tells the log why. */
export function fail(error: unknown, response: ServerResponse): void {
  console.error(error)
  // A hook can find the response, and may have begun it
  if (response.headersSent) response.destroy()
  else send(response, 500, { contentType: 'application/json', body: '{"error":"internal"}' })
}

/** Whether these are names of groups, one at least: demanding none of them would let everybody in. */
export function areGroups(value: readonly unknown[]): boolean {
  return value.length > 0 && value.every((group) => typeof group === 'string' && group !== '')
}

function send(response: ServerResponse, status: number, { contentType, body }: Rendered, retryAfter?: number): void {
  // Before the first line is written, after which nobody could say that this went wrong
  validateHeaderValue('Content-Type', contentType)
  if (typeof body !== 'string' && !isUint8Array(body)) throw new TypeError('a body is a string or a Uint8Array')
  const headers: Record<string, string | number> = {
    'Content-Type': contentType,
    'Content-Length': Buffer.byteLength(body),
  }
  if (retryAfter !== undefined) headers['Retry-After'] = retryAfter
  response.writeHead(status, headers).end(body)
}

/** The raw text of the header: "" if there is none, several values joined by commas, which the core refuses. */
function headerText(request: IncomingMessage, name: string): string {
  // `headers` drops a second Authorization; but adapters of serverless platforms fill in nothing else
  const values = request.headersDistinct?.[name] ?? request.headers[name] ?? ''
  return typeof values === 'string' ? values : values.join(',')
}

/**
 * The path that the router goes by, as the client encoded it. A mount's prefix belongs to it, and where something
 * rewrote the URL before us, it is the new one: the old one says nothing about what will be served.
 */
function servedPath(request: GateRequest): string {
  const url = request.url ?? ''
  if (request.baseUrl !== undefined) return request.baseUrl + pathname(url)
  // Connect keeps no prefix. What is left of the URL tells a mount from a rewriting; if it does not, nothing is exempt
  const original = request.originalUrl ?? url
  const mount = original.slice(0, original.length - url.length)
  return mount + url === original && !mount.includes('?') ? pathname(original) : ''
}

function pathname(url = ''): string {
  const query = url.indexOf('?')
  return query < 0 ? url : url.slice(0, query)
}

function announce(verifier: Verifier, header: string): void {
  const { route = 'of the first token', issuer = route, audience = route } = verifier.options
  console.info(
    `pomerium-jwt: issuer ${issuer}, audience ${audience}, keys from ${verifier.status().source}, header ${header}`,
  )
}

function warn(code: string, message: string, path: string): void {
  // As JSON: whoever sends the path writes no lines of their own into the log
  console.warn(`pomerium-jwt: refused ${JSON.stringify(path)}: ${code}: ${message}`)
}

/** What each option of an integration takes, and whether a value is one. */
const takes: Record<keyof GateOptions | RequestOption, [string, (value: any) => boolean]> = {
  verifier: ['a Verifier', (value) => value instanceof Verifier],
  headerName: [
    'a name of letters, digits and hyphens',
    (value) => typeof value === 'string' && /^[A-Za-z0-9-]+$/.test(value),
  ],
  optional: ['true or false', (value) => typeof value === 'boolean'],
  exemptPaths: ['a list of paths, which begin with / and have no query', (value) => [value].flat().every(isPath)],
  errorHandler: ['a function', (value) => typeof value === 'function'],
  onRefused: ['a function', (value) => typeof value === 'function'],
  requireGroup: ['the name of a group or a list of them', (value) => areGroups([value].flat())],
}

function isPath(value: unknown): boolean {
  return typeof value === 'string' && /^\/[^?#\p{Surrogate}]*$/u.test(value)
}

type RequestOption = 'headerName' | 'optional' | 'exemptPaths' | 'requireGroup'

function list(value: List | undefined): readonly string[] {
  return typeof value === 'string' ? [value] : [...(value ?? [])]
}

function check(options: Pick<PomeriumOptions, keyof GateOptions | RequestOption>): void {
  for (const [name, [what, accepts]] of Object.entries(takes)) {
    const value: unknown = options[name as keyof typeof takes]
    if (value !== undefined && !accepts(value)) throw invalidOptions(`${name} takes ${what}`)
  }
}
