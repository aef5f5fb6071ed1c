/**
 * Middleware for Express 4 and 5, for Connect, and for anything else that calls such functions, as Socket.IO does.
 *
 *     const app = express()
 *     app.use(pomerium({ route: 'https://app.example.com' }))
 *     app.get('/', (request, response) => response.send(request.pomerium.email))
 *
 * It covers what comes later in the application. It does not cover WebSockets and Socket.IO on the same server: the one
 * is covered by `protectUpgrade` of pomerium-jwt/ws, the other by `io.engine.use(pomerium())`.
 *
 * A refused request is answered here and goes no further, not even to error-first handlers. Those get what is not
 * expected: an error of your own `errorHandler` or `onRefused`, and a `requireGroup` before which no `pomerium()` ran.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'

import { checkGroups, requireGroup as demandGroup, requireUser as demandUser } from './demands'
import { admit, refuse } from './incoming'
import type { Identity, Verifier } from './index'
import { admissions, Integration, nothingVerified, type PomeriumOptions } from './integration'

export type { IntegrationOptions, PomeriumOptions, Rendered } from './integration'
export type { Logger } from './log'

/** What Express and Connect call. */
export type Middleware = (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void

/** The middleware, with its verifier for `verifier.health()`, `verifier.refresh()` and `verifier.metrics()`. */
export type Pomerium = Middleware & { readonly verifier: Verifier }

/**
 * Lets requests in as `verifier.admit` says, with the identity in `request.pomerium`, and answers the others itself.
 *
 * `exemptPaths` are whole paths, with the prefix under which this is mounted (under Connect, which does not keep it,
 * nothing is exempt below a mount). The setting `trust proxy` does not matter: the header is signed. Throws VerifyError
 * at once, so that a misconfigured application does not start.
 */
export function pomerium(options?: PomeriumOptions): Pomerium {
  const integration = new Integration(options)
  const middleware: Middleware = (request, response, next) => {
    void run(integration, request, response, next, () => admit(integration, request))
  }
  return Object.assign(middleware, { verifier: integration.verifier })
}

/** For signed-in users alone: of use with the options `optional`, `exemptPaths` and `allowAnonymous`. */
export const requireUser: Middleware = demand((identity) => demandUser(identity))

/** For users in at least one of these groups; for all others the answer is 403. Comes after `pomerium()`. */
export function requireGroup(...groups: readonly string[]): Middleware {
  checkGroups(groups)
  return demand((identity) => demandGroup(identity, ...groups))
}

function demand(check: (identity: Identity | undefined) => Identity): Middleware {
  return (request, response, next) => {
    const admission = admissions.get(request)
    if (!admission) {
      next(nothingVerified())
      return
    }
    void run(admission.integration, request, response, next, async () => check(admission.identity))
  }
}

async function run(
  integration: Integration,
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
  check: () => Promise<unknown>,
): Promise<void> {
  try {
    await check()
  } catch (error) {
    return refuse(integration, error, request, response).catch(next)
  }
  next()
}
