/**
 * For NestJS, on Express and on Fastify.
 *
 *     const app = await NestFactory.create(AppModule)
 *     protect(app, { route: 'https://app.example.com' })
 *     await app.listen(8000)
 *
 * It stands in front of the application's server, so it covers every route, unknown paths, static files, GraphQL and the
 * WebSocket gateways on the application's own port, those of Socket.IO too, and what a serverless platform or `inject` hands
 * to the application without its server. It does not cover gateways with a port of their own, microservices, and an `http2`
 * server's listeners for `stream`: have none.
 *
 * A refused request is answered here, before Nest sees it: Nest's own CORS comes too late, so hand the package `cors` to
 * `protect`.
 */

import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

// No exceptions of Nest's: loaders such as tsx make two copies of it, and one does not know the other's
import {
  type ArgumentsHost,
  type CanActivate,
  Catch,
  createParamDecorator,
  type ExceptionFilter,
  type ExecutionContext,
} from '@nestjs/common'

import { checkGroups, requireGroup as demandGroup, requireUser as demandUser } from './demands'
import { VerifyError } from './errors'
import type { Middleware } from './express'
import { admit, admitUpgrade, fail, refuse } from './incoming'
import type { Identity, Verifier } from './index'
import { admissions, Integration, nothingVerified, type PomeriumOptions } from './integration'
import { type IncomingRequest, unchangedPlace } from './request'

export type { IntegrationOptions, PomeriumOptions, Rendered } from './integration'
export type { Logger } from './log'

/** What is needed of an INestApplication. */
export interface NestApplicationLike {
  getHttpServer(): any
  use(middleware: Middleware): unknown
  useGlobalFilters(...filters: ExceptionFilter[]): unknown
}

/**
 * Lets requests in as `verifier.admit` says, and answers the others itself. `before` are middlewares that run in front of
 * it, such as `cors()` of the package `cors`, which answers preflights and lets browsers read refusals.
 *
 * Comes right after `NestFactory.create`. `exemptPaths` are whole paths; no WebSocket is exempt. Throws VerifyError at
 * once, so that a misconfigured application does not start. It also answers what `requireGroup` throws, unless a filter of
 * yours for all exceptions does. Gives the verifier.
 */
export function protect(
  app: NestApplicationLike,
  options?: PomeriumOptions,
  ...before: readonly Middleware[]
): { readonly verifier: Verifier } {
  const integration = new Integration(options)
  guardServer(app.getHttpServer(), integration, before)
  // Again within: for what comes without the server, or has been rewritten on the way
  app.use((request, response, next) => {
    if (admissions.has(request) && request.url === targets.get(request)) next()
    else void enter(integration, request, response, next)
  })
  app.useGlobalFilters(filterOf(integration))
  return { verifier: integration.verifier }
}

/**
 * The parameter that is the signed-in user: in HTTP handlers, in the messages of WebSocket gateways, and in GraphQL
 * resolvers whose context has the request as `req`. A request that passed without an identity is refused; with
 * `@Caller({ optional: true })` the parameter is then undefined.
 */
export const Caller: (options?: { readonly optional?: boolean }) => ParameterDecorator = createParamDecorator(
  (options: { readonly optional?: boolean } | undefined, context: ExecutionContext) => {
    const { identity } = admissions.get(requestOf(context))!
    return options?.optional === true ? identity : demandUser(identity)
  },
)

/** A guard: for signed-in users alone. Of use with the options `optional`, `exemptPaths` and `allowAnonymous`. */
export const requireUser: CanActivate = demand((identity) => demandUser(identity))

/** A guard, for users in at least one of these groups: `@UseGuards(requireGroup('admins'))`. For all others the answer is 403. */
export function requireGroup(...groups: readonly string[]): CanActivate {
  checkGroups(groups)
  return demand((identity) => demandGroup(identity, ...groups))
}

function demand(check: (identity: Identity | undefined) => Identity): CanActivate {
  return {
    canActivate(context) {
      check(admissions.get(requestOf(context))!.identity)
      return true
    },
  }
}

/** Answers a VerifyError of a guard, parameter or handler as every refusal is. GraphQL and gateways get it as it is. */
function filterOf(integration: Integration): ExceptionFilter {
  class Refusals implements ExceptionFilter<VerifyError> {
    catch(error: VerifyError, host: ArgumentsHost): unknown {
      if (host.getType() !== 'http') return error
      const [request, response] = [host.switchToHttp().getRequest(), host.switchToHttp().getResponse()]
      // Fastify leaves it to us
      response.hijack?.()
      const { raw = response } = response
      return answer(integration, error, request.raw ?? request, raw)
    }
  }
  Catch(VerifyError)(Refusals)
  return new Refusals()
}

function answer(
  integration: Integration,
  error: unknown,
  request: IncomingRequest,
  response: ServerResponse,
): Promise<void> {
  return refuse(integration, error, request, response).catch((fault: unknown) => fail(fault, request, response))
}

/** What clients asked for. Express and Fastify keep it too, but what rewrites a path is not always between them. */
const targets = new WeakMap<object, string | undefined>()

/** The requests by which WebSockets were opened: those of `ws` keep their socket, and not the request. */
const upgrades = new WeakMap<object, IncomingMessage>()

/** The request that was verified, wherever this kind of handler keeps it. */
function requestOf(context: ExecutionContext): IncomingRequest {
  const candidates = context.getType<string>() === 'ws' ? ofSocket(context) : ofRequest(context)
  const found = candidates.find((candidate) => candidate && admissions.has(candidate))
  if (!found) throw nothingVerified()
  return found
}

function ofSocket(context: ExecutionContext): any[] {
  const client = context.switchToWs().getClient()
  return [client?.request, client?._socket && upgrades.get(client._socket)]
}

/** Fastify's requests and GraphQL's connections have the server's request within. */
function ofRequest(context: ExecutionContext): any[] {
  const isGraphQL = context.getType<string>() === 'graphql'
  const request = isGraphQL ? context.getArgByIndex(2)?.req : context.switchToHttp().getRequest()
  return [request, request?.raw, request?.extra?.request]
}

/** What a server reports: all that brings a request goes through its `emit`, no matter who listens, earlier or later. */
function guardServer(server: Server, integration: Integration, before: readonly Middleware[]): void {
  const emit = server.emit.bind(server) as (event: string, ...parameters: any[]) => boolean
  const enterServer = (event: string, request: IncomingRequest, response: ServerResponse) => {
    targets.set(request, request.url)
    inFront(before, request, response, () => {
      void enter(integration, request, response, () => emit(event, request, response))
    })
  }
  const enterUpgrade = async (event: string, request: IncomingRequest, socket: Duplex, head: Buffer) => {
    if (!(await admitUpgrade(integration, request, socket))) return
    upgrades.set(socket, request)
    emit(event, request, socket, head)
  }
  server.emit = (event: string, ...parameters: any[]) => {
    const [request, other, head] = parameters
    if (REQUESTS.has(event)) enterServer(event, request, other)
    else if (UPGRADES.has(event)) void enterUpgrade(event, request, other, head)
    else return emit(event, ...parameters)
    return server.listenerCount(event) > 0
  }
}

const REQUESTS: ReadonlySet<unknown> = new Set(['request', 'checkContinue', 'checkExpectation'])
const UPGRADES: ReadonlySet<unknown> = new Set(['upgrade', 'connect'])

/** Calls `next` if the request is let in. Any other is answered. */
async function enter(
  integration: Integration,
  request: IncomingRequest,
  response: ServerResponse,
  next: () => void,
): Promise<void> {
  try {
    const { method, url, originalUrl } = request
    const place = unchangedPlace({ method, url, originalUrl: targets.get(request) ?? originalUrl })
    await admit(integration, request, false, place)
  } catch (error) {
    return answer(integration, error, request, response)
  }
  next()
}

function inFront(
  [first, ...rest]: readonly Middleware[],
  request: IncomingMessage,
  response: ServerResponse,
  done: () => void,
): void {
  if (!first) return done()
  first(request, response, (error) => {
    if (error) fail(error, request, response)
    else inFront(rest, request, response, done)
  })
}
