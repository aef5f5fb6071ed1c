/**
 * For a plain `http.Server` or `https.Server`, and for an `http2` server's requests.
 *
 *     const listener = protect((request, response) => response.end(request.pomerium?.email), { route: 'https://...' })
 *     createServer(listener).listen(8000)
 *
 * It covers the server's event `request`. It does not cover listeners for `upgrade`, which `protectUpgrade` of
 * pomerium-jwt/ws covers, nor those for `connect`, `checkContinue`, `checkExpectation` and, of an `http2` server,
 * `stream`: have none.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'

import { invalidOptions, VerifyError } from './errors'
import { admit, fail, refuse } from './incoming'
import type { Verifier } from './index'
import { Integration, type PomeriumOptions } from './integration'

export type { IntegrationOptions, PomeriumOptions, Rendered } from './integration'
export type { Logger } from './log'

/** What answers the requests that were let in. Those of an `http2` server have nearly the same members. */
export type ProtectedListener = (request: IncomingMessage, response: ServerResponse) => unknown

/** What a server calls, with its verifier. */
export interface Protected {
  (request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse): void
  readonly verifier: Verifier
}

/**
 * Lets requests in to `listener` as `verifier.admit` says, with the identity in `request.pomerium`, and answers the others
 * itself, with any VerifyError that the listener throws, as `requireGroup(request.pomerium, 'admins')` does.
 *
 * An error of your own `errorHandler` or `onRefused` is answered with 500 and written to standard error. Throws
 * VerifyError at once, so that a misconfigured application does not start.
 */
export function protect(listener: ProtectedListener, options?: PomeriumOptions): Protected {
  if (typeof listener !== 'function') throw invalidOptions('protect takes the listener, and then the options')
  const integration = new Integration(options)

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let admitted = false
    try {
      await admit(integration, request)
      admitted = true
      await listener(request, response)
    } catch (error) {
      // What else the listener throws ends the process, as without us
      if (admitted && (!(error instanceof VerifyError) || response.headersSent)) throw error
      await refuse(integration, error, request, response).catch((fault: unknown) => fail(fault, request, response))
    }
  }

  const listen = (request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse) =>
    void handle(request as IncomingMessage, response as ServerResponse)
  return Object.assign(listen, { verifier: integration.verifier })
}
