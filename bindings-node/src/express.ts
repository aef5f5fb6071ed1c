/**
 * Middleware for Express 4 and 5, and for Connect.
 *
 *     const app = express()
 *     app.use(pomerium({ route: 'https://app.example.com' }))
 *     app.get('/', (request, response) => response.send(request.pomerium.email))
 *
 * A refused request is answered here and goes no further, not even to error-first handlers. Those get what is not
 * expected: an error of your own `errorHandler` or `onRefused`, and a `requireGroup` before which no `pomerium()` ran.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'

import { invalidOptions } from './errors'
import { admissions, areGroups, attach, Gate, type GateRequest, type PomeriumOptions } from './gate'
import type { Identity, Verifier } from './index'

export type { PomeriumOptions, Refusal, Rendered } from './gate'

/** What Express and Connect call. */
export type Middleware = (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void

/** The middleware, with its verifier for `verifier.health()`, `verifier.refresh()` and `verifier.status()`. */
export type Pomerium = Middleware & { readonly verifier: Verifier }

/**
 * Lets verified requests pass, with their identity in `request.pomerium`, and answers the others itself.
 *
 * `exemptPaths` are whole paths, with the prefix under which this is mounted. The header is believed whatever
 * `trust proxy` says: it is signed. Throws VerifyError at once, so that a misconfigured application does not start.
 */
export function pomerium(options?: PomeriumOptions): Pomerium {
  const gate = new Gate(options)
  const middleware: Middleware = (request, response, next) => {
    void run(gate, request, response, next, async () => attach(request, await gate.admit(request, response)))
  }
  return Object.assign(middleware, { verifier: gate.verifier })
}

/**
 * For what nobody sees without being signed in: of use with the options `optional` and `allowAnonymous`. No CORS
 * preflight passes.
 */
export const requireUser: Middleware = demand((gate, identity) => {
  gate.checkUser(identity)
})

/**
 * For users in one of these groups at least; for all others the answer is 403. Stands behind `pomerium()`. No CORS
 * preflight passes.
 */
export function requireGroup(...groups: readonly string[]): Middleware {
  if (!areGroups(groups)) throw invalidOptions("requireGroup takes names of groups: requireGroup('admins')")
  return demand((gate, identity) => {
    gate.checkGroup(identity, groups)
  })
}

function demand(check: (gate: Gate, identity: Identity | undefined) => void): Middleware {
  return (request, response, next) => {
    const admission = admissions.get(request)
    if (!admission) {
      next(new Error('no pomerium() has run before, so nothing has been verified'))
      return
    }
    void run(admission.gate, request, response, next, async () => check(admission.gate, admission.identity))
  }
}

async function run(
  gate: Gate,
  request: GateRequest,
  response: ServerResponse,
  next: (error?: unknown) => void,
  check: () => Promise<void>,
): Promise<void> {
  try {
    await check()
  } catch (error) {
    return gate.answer(error, request, response).catch(next)
  }
  next()
}
