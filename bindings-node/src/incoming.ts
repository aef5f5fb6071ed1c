/** Requests and responses of Node's own servers, which most frameworks build on. */

import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

import type { Identity } from './identity'
import { type Answer, failed, type Integration } from './integration'
import { factsOf, type IncomingRequest, type Place, shownPath } from './request'

/**
 * Makes the request's `pomerium` who sent it, which nothing that merges a body into the request can replace; undefined
 * if it passes without an identity. Rejects with VerifyError. `upgrade` if the server itself reports one.
 */
export async function admit(
  integration: Integration,
  request: IncomingRequest,
  upgrade = false,
  place?: Place,
): Promise<Identity | undefined> {
  const identity = await integration.admit(request, factsOf(request, integration.headerName, upgrade, place))
  setIdentity(request, identity)
  return identity
}

/** Admits what a server reports as an upgrade. If it is refused, that is answered, its connection ends, and this gives false. */
export async function admitUpgrade(
  integration: Integration,
  request: IncomingRequest,
  socket: Duplex,
): Promise<boolean> {
  // A client that leaves while keys are fetched does not end the process
  socket.on('error', ignore)
  try {
    await admit(integration, request, true)
  } catch (error) {
    const response = responseOn(request, socket)
    await refuse(integration, error, request, response).catch((fault: unknown) => fail(fault, request, response))
    return false
  }
  socket.off('error', ignore)
  return true
}

/** Sets `pomerium`, read-only. */
export function setIdentity(target: object, identity: Identity | undefined): void {
  // writable is said: a property that is there already would keep its own
  const frozen = { value: identity, enumerable: true, configurable: true, writable: false }
  Object.defineProperty(target, 'pomerium', frozen)
}

/** Answers a request that was refused, and reports it. Rejects with anything else that went wrong, before anything is sent. */
export async function refuse(
  integration: Integration,
  error: unknown,
  request: IncomingRequest,
  response: ServerResponse,
): Promise<void> {
  send(request, response, await integration.answer(error, request, shownPath(request)))
}

/** Answers with 500 if the application's own hooks failed, and tells the log why. */
export function fail(fault: unknown, request: IncomingMessage, response: ServerResponse): void {
  const answer = failed(fault)
  // A hook can find the response, and may have begun it
  if (response.headersSent) response.destroy()
  else send(request, response, answer)
}

function send(request: IncomingMessage, response: ServerResponse, { status, headers, body }: Answer): void {
  const all = { ...headers, 'Content-Length': Buffer.byteLength(body) }
  for (const [name, value] of Object.entries(all)) response.setHeader(name, value)
  response.statusCode = status
  // HTTP/1 leaves out the body of its own accord
  response.end(request.headers[':method'] === 'HEAD' ? undefined : body)
}

/** A response, which Node does not make for upgrades: the last thing on this connection. */
function responseOn(request: IncomingMessage, socket: Duplex): ServerResponse {
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  try {
    response.assignSocket(socket as Socket)
  } catch {
    // The response to an earlier request is still being sent: a client that does not wait for it is told nothing
    socket.destroy()
  }
  response.once('finish', () => socket.end(() => socket.destroy()))
  return response
}

function ignore(): void {}
