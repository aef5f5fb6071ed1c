/**
 * For servers and routers whose handlers take a Request and give a Response, such as those of Bun and Deno.
 *
 *     const admit = pomerium({ route: 'https://app.example.com' })
 *     const identity = await admit(request)
 *     if (identity instanceof Response) return identity // refused
 *
 * It covers what you call it for: `protect` around the one handler of a server covers everything.
 */

import { VerifyError } from './errors'
import type { Verifier } from './index'
import { type Answer, type Caller, Integration, type PomeriumOptions } from './integration'
import { factsOfFetch, pathOf } from './request'

export type { Caller, IntegrationOptions, Rendered } from './integration'
export type { Logger } from './log'

/** The options of a Verifier, laid over those of the environment, and those of an integration. */
export type FetchOptions = PomeriumOptions<Request>

/** Asks about a request, with its verifier. */
export interface Pomerium<Given = FetchOptions> {
  (request: Request): Promise<Caller<Given> | Response>
  readonly verifier: Verifier
}

/** What a server calls, with its verifier. */
export interface Protected<Rest extends unknown[]> {
  (request: Request, ...rest: Rest): Promise<Response>
  readonly verifier: Verifier
}

/**
 * Gives who sent a request, undefined if it passes without an identity, or the response to one that is refused.
 *
 * A path is exempt if the request's URL has it as it stands there and after parsing. Throws VerifyError at once for wrong
 * options.
 */
export function pomerium<const Given extends FetchOptions>(options?: Given): Pomerium<Given> {
  const integration = new Integration<Request>(options)
  const admit = async (request: Request): Promise<Caller<Given> | Response> => {
    try {
      return await identityOf<Given>(integration, request)
    } catch (error) {
      return refusal(integration, error, request)
    }
  }
  return Object.assign(admit, { verifier: integration.verifier })
}

/**
 * Lets requests in to `handler`, with the identity as its second argument, and answers the others itself, with any
 * VerifyError that the handler throws, as `requireGroup(identity, 'admins')` does.
 */
export function protect<const Given extends FetchOptions, Rest extends unknown[] = []>(
  handler: Handler<Given, Rest>,
  options?: Given,
): Protected<Rest> {
  const integration = new Integration<Request>(options)
  const listen = (request: Request, ...rest: Rest) =>
    handle(integration, request, identityOf<Given>(integration, request), (identity) =>
      handler(request, identity, ...rest),
    )
  return Object.assign(listen, { verifier: integration.verifier })
}

/** What answers the requests that were let in. */
export type Handler<Given, Rest extends unknown[]> = (
  request: Request,
  identity: Caller<Given>,
  ...rest: Rest
) => Response | Promise<Response>

/** @internal */
export async function handle<Who>(
  integration: Integration<Request>,
  request: Request,
  who: Promise<Who>,
  handler: (who: Who) => Response | Promise<Response>,
): Promise<Response> {
  let admitted = false
  try {
    const identity = await who
    admitted = true
    return await handler(identity)
  } catch (error) {
    // What else the handler throws is the server's to answer, as without us
    if (admitted && !(error instanceof VerifyError)) throw error
    return refusal(integration, error, request)
  }
}

/** @internal Rejects with VerifyError. */
export async function identityOf<Given>(integration: Integration<Request>, request: Request): Promise<Caller<Given>> {
  const { method, url } = request
  // Of HTTP/1.0 without a Host, and of CONNECT, Bun makes what is not a URL
  const routed = method !== 'CONNECT' && URL.canParse(url) ? new URL(url).pathname : ''
  const facts = factsOfFetch(request, integration.headerName, routed)
  return (await integration.admit(request, facts)) as Caller<Given>
}

/** @internal */
export async function refusal(integration: Integration<Request>, error: unknown, request: Request): Promise<Response> {
  return responseOf(await integration.answerAnyhow(error, request, pathOf(request.url)))
}

/** @internal */
export function responseOf({ status, headers, body }: Answer): Response {
  return new Response(body as string, { status, headers })
}
