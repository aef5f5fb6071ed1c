/**
 * For a plain `http.Server` or `https.Server`.
 *
 *     const listener = protect((request, response) => response.end(request.pomerium?.email), { route: 'https://...' })
 *     createServer(listener).listen(8000)
 */

import type { IncomingMessage, ServerResponse } from 'node:http'

import { invalidOptions } from './errors'
import { attach, fail, Gate, type PomeriumOptions } from './gate'
import type { Verifier } from './index'

export type { PomeriumOptions, Refusal, Rendered } from './gate'

/** What answers the requests that were let in. */
export type ProtectedListener = (request: IncomingMessage, response: ServerResponse) => unknown

/** What an http.Server calls, with the verifier behind it. */
export type Protected = ((request: IncomingMessage, response: ServerResponse) => void) & { readonly verifier: Verifier }

/**
 * Lets verified requests pass to `listener`, with their identity in `request.pomerium`, and answers the others itself.
 *
 * CORS preflight requests reach it without an identity, and only status and headers of its answer are sent. An error of
 * your own `errorHandler` or `onRefused` is answered with 500 and written to standard error. Throws VerifyError at once,
 * so that a misconfigured application does not start.
 */
export function protect(listener: ProtectedListener, options?: PomeriumOptions): Protected {
  if (typeof listener !== 'function') throw invalidOptions('protect takes the listener, and then the options')
  const gate = new Gate(options)

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      attach(request, await gate.admit(request, response))
    } catch (error) {
      return gate.answer(error, request, response).catch((fault: unknown) => fail(fault, response))
    }
    await listener(request, response)
  }

  // What the listener throws ends the process, as without us
  return Object.assign((request: IncomingMessage, response: ServerResponse) => void handle(request, response), {
    verifier: gate.verifier,
  })
}
