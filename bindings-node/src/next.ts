/**
 * For Next.js: route handlers, server components and server actions, and `proxy.js`.
 *
 *     export const auth = pomerium({ route: 'https://app.example.com' })
 *     export const GET = auth.protect((request, identity) => Response.json(identity))
 *     const identity = await auth.identity(await headers())
 *
 * The verifier is made when it is first needed: `next build` runs modules without the environment of production. An
 * `instrumentation.js` that calls `auth.register()` ends a misconfigured application at start.
 *
 * `proxy` refuses early whatever its matcher covers, static files included. It is a convenience: what hands out data
 * verifies again, by `protect` or `identity`.
 */

import { type FetchOptions, handle, identityOf, refusal } from './fetch'
import type { Identity, Verifier } from './index'
import { Integration } from './integration'
import { plain, toJson } from './options'

export type { FetchOptions } from './fetch'
export type { IntegrationOptions, Rendered } from './integration'
export type { Logger } from './log'

/** Who is calling, in a handler or component. If the code sets `optional: false`, which wins over the environment, it is always somebody. */
export type Verified<Given> = Given extends { optional: false } ? Identity : Identity | undefined

/** What an application has of this: one object, in a module of its own. */
export interface Pomerium<Given = FetchOptions> {
  /** Made on first use, which throws VerifyError for wrong options. */
  readonly verifier: Verifier
  /** For `register` of `instrumentation.js`: ends the process, with a sentence, if the options are wrong. */
  register(this: void): void
  /** For `proxy.js`: the response to a refused request, and undefined for one that gets in. `exemptPaths` are for this alone. */
  proxy(this: void, request: Request): Promise<Response | undefined>
  /**
   * A route handler that gets the identity as its second argument, and the context of Next.js as its third. No path is
   * exempt here: the request does not say whether a rewrite has led to this handler. A public handler is not wrapped.
   */
  protect<Context = unknown>(
    this: void,
    handler: (request: Request, identity: Verified<Given>, context: Context) => Response | Promise<Response>,
  ): (request: Request, context: Context) => Promise<Response>
  /**
   * Who is calling, of what `await headers()` gives: for server components and server actions. No path is exempt here.
   * Rejects with VerifyError, whose message is the code alone.
   */
  identity(this: void, headers: Pick<Headers, 'get'>): Promise<Verified<Given>>
}

/**
 * Takes the options of a Verifier, laid over those of the environment, and those of an integration. Next.js makes several
 * copies of an application's modules: those with the same options share one verifier, and so its keys.
 */
export function pomerium<const Given extends FetchOptions>(options?: Given): Pomerium<Given> {
  let made: Integration<Request> | undefined
  const integration = () => (made ??= integrationOf(options))
  return {
    get verifier() {
      return integration().verifier
    },
    register() {
      try {
        integration()
      } catch (error) {
        // Next.js would go on without having started
        console.error(String(error))
        process.exit(1)
      }
    },
    async proxy(request) {
      try {
        await identityOf(integration(), request)
        return undefined
      } catch (error) {
        return refusal(integration(), error, request)
      }
    },
    protect: (handler) => async (request, context) => {
      // Read before all else: `next build` prerenders handlers, and takes this for the sign that there is nothing to prerender
      const { headers } = request
      const who = whoSent(integration(), headers) as Promise<Verified<Given>>
      return handle(integration(), request, who, (identity) => handler(request, identity, context))
    },
    async identity(headers) {
      return (await whoSent(integration(), headers)) as Verified<Given>
    },
  }
}

/** No path is exempt. */
function whoSent(integration: Integration<Request>, headers: Pick<Headers, 'get'>): Promise<Identity | undefined> {
  const token = headers.get(integration.headerName) ?? ''
  return integration.verifier.admit({ token, path: '', upgrade: false })
}

/** The verifiers of this process, by their options. */
const verifiers = new Map<string, Verifier>()

function integrationOf(options: FetchOptions = {}): Integration<Request> {
  const { verifier, errorHandler, onRefused, logger, ...data } = plain(options)
  const hooks = { errorHandler, onRefused, logger }
  if (verifier) return new Integration<Request>(options)
  const key = toJson(data)
  const known = verifiers.get(key)
  const integration = new Integration<Request>(known ? { ...hooks, verifier: known } : options)
  verifiers.set(key, integration.verifier)
  return integration
}
