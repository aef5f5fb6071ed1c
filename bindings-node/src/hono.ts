/**
 * Middleware for Hono, on Node, Bun and Deno.
 *
 *     app.use(pomerium({ route: 'https://app.example.com' }))
 *     app.get('/', (c) => c.text(`hello ${c.get('pomerium')?.email}`))
 *
 * It covers every route and middleware that is added later, unknown paths and `upgradeWebSocket` included. It does not
 * cover those added before, nor listeners that are added to the server.
 */

import type { IncomingMessage } from 'node:http'

import type { Context, MiddlewareHandler } from 'hono'

import { checkGroups, requireGroup as demandGroup, requireUser as demandUser } from './demands'
import { responseOf } from './fetch'
import type { Identity, Verifier } from './index'
import { type Answer, type Caller, demanded, Integration, type PomeriumOptions } from './integration'
import { factsOfFetch } from './request'

export type { Caller, IntegrationOptions, Rendered } from './integration'
export type { Logger } from './log'

declare module 'hono' {
  interface ContextVariableMap {
    /** Who is calling; undefined if the request passed without an identity. */
    readonly pomerium: Identity | undefined
  }
}

/** The options of a Verifier, laid over those of the environment, and those of an integration. */
export type HonoOptions = PomeriumOptions<Context>

/** The middleware, with its verifier for `verifier.health()`, `verifier.refresh()` and `verifier.metrics()`. */
export type Pomerium<Given = HonoOptions> = MiddlewareHandler<{ Variables: { pomerium: Caller<Given> } }> & {
  readonly verifier: Verifier
}

/**
 * Lets requests in as `verifier.admit` says, with the identity in the variable `pomerium`, and answers the others itself.
 *
 * A path is exempt if the router goes by it as the client sent it: nothing is exempt below `app.mount()`, and on other
 * servers than Node's nothing at all: add public routes before this. Throws VerifyError at once, so that a misconfigured
 * application does not start.
 */
export function pomerium<const Given extends HonoOptions>(options?: Given): Pomerium<Given> {
  const integration = new Integration<Context>(options)
  const middleware: MiddlewareHandler = async (c, next) => {
    try {
      // @hono/node-server has the request as it came. Elsewhere `app.mount()` hands on a request without the prefix, so that
      // nobody can tell what the client has sent
      const { incoming } = (c.env ?? {}) as { incoming?: IncomingMessage }
      const facts = factsOfFetch(c.req.raw, integration.headerName, incoming ? c.req.path : '', incoming)
      c.set('pomerium', await integration.admit(c, facts))
    } catch (error) {
      return send(c, await integration.answerAnyhow(error, c, c.req.path))
    }
    return next()
  }
  return Object.assign(middleware, { verifier: integration.verifier })
}

/** For signed-in users alone: of use with the options `optional`, `exemptPaths` and `allowAnonymous`. */
export const requireUser: MiddlewareHandler = demand((identity) => demandUser(identity))

/** For users in at least one of these groups; for all others the answer is 403. Comes after `pomerium()`. */
export function requireGroup(...groups: readonly string[]): MiddlewareHandler {
  checkGroups(groups)
  return demand((identity) => demandGroup(identity, ...groups))
}

function demand(check: (identity: Identity | undefined) => Identity): MiddlewareHandler {
  return async (c, next) => {
    const answer = await demanded(c, c.req.path, check)
    return answer ? send(c, answer) : next()
  }
}

/** With the headers that earlier middleware has set, such as cors() */
function send(c: Context, answer: Answer): Response {
  return c.newResponse(responseOf(answer).body, answer.status as 401, answer.headers)
}
