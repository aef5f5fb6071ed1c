/**
 * For the WebSocket servers of the package `ws`: the upgrade request is verified before there is a WebSocket.
 *
 *     const server = createServer(...)
 *     const webSockets = new WebSocketServer({ noServer: true })
 *     protectUpgrade(server, webSockets, { route: 'https://app.example.com', closeAtExpiry: true })
 *     webSockets.on('connection', (webSocket, request) => webSocket.send(request.pomerium.email))
 */

import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'

import { invalidOptions } from './errors'
import { atExpiry } from './expiry'
import { admitUpgrade } from './incoming'
import type { Verifier } from './index'
import { Integration, type PomeriumOptions } from './integration'
import { plain } from './options'

export type { IntegrationOptions, PomeriumOptions, Rendered } from './integration'
export type { Logger } from './log'

/** The close code of `closeAtExpiry`: one of those left to applications (RFC 6455 section 7.4.2). */
export const TOKEN_EXPIRED = 4401

/** The options of a Verifier, those of an integration, and one of long connections. */
export type UpgradeOptions = PomeriumOptions & {
  /**
   * Closes each WebSocket with the code TOKEN_EXPIRED when its token expires: five minutes after it was opened. The
   * client opens another, and Pomerium decides again. What it still sends is discarded, and the connection ends a second
   * later if it does not answer. Default false: the connection outlives its token.
   */
  closeAtExpiry?: boolean | undefined
}

/** How long a client may take to answer the closing of its WebSocket, in milliseconds. */
const LEAVE_WITHIN = 1000

/** What is needed of a WebSocket of `ws`. */
export interface WebSocketLike {
  close(code: number, reason: string): void
  terminate(): void
  once(event: 'close', listener: () => void): unknown
  emit(event: string | symbol, ...parameters: any[]): boolean
}

/** What is needed of a WebSocketServer of `ws`. */
export interface WebSocketServerLike<WebSocket extends WebSocketLike = WebSocketLike> {
  options: { noServer?: boolean | undefined }
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, done: (webSocket: WebSocket) => void): void
  emit(event: 'connection', webSocket: WebSocket, request: IncomingMessage): boolean
}

/**
 * Handles every upgrade of `server`, and has to be the only one that does: a listener for upgrades that is there already,
 * or is added later (Socket.IO adds one), is refused with an error. Verified ones become WebSockets of `webSockets`, whose
 * event `connection` brings the request with the identity in `request.pomerium`; the others are answered as any request
 * is, and their connection ends. `exemptPaths` exempts no upgrade. `webSockets` is made with `noServer: true`: with a
 * server of its own it would take upgrades unverified.
 *
 * Throws VerifyError at once, so that a misconfigured application does not start. Gives the verifier.
 */
export function protectUpgrade<WebSocket extends WebSocketLike>(
  server: Pick<Server, 'on' | 'listenerCount'>,
  webSockets: WebSocketServerLike<WebSocket>,
  options: UpgradeOptions = {},
): { readonly verifier: Verifier } {
  const { closeAtExpiry = false, ...others } = plain(options)
  if (typeof closeAtExpiry !== 'boolean') throw invalidOptions('closeAtExpiry takes true or false')
  if (!webSockets.options.noServer) {
    throw invalidOptions(
      'the WebSocketServer would take upgrades that are not verified: make it with { noServer: true }',
    )
  }
  if (server.listenerCount('upgrade') > 0) throw anotherListener('already has')
  const integration = new Integration(others)

  async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    if (!(await admitUpgrade(integration, request, socket))) return
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      if (closeAtExpiry) atExpiry(request.pomerium, webSocket, () => expire(webSocket))
      webSockets.emit('connection', webSocket, request)
    })
  }

  server.on('upgrade', (request, socket, head) => void upgrade(request, socket, head))
  // Emitted before a listener is added: thrown here, the error reaches the one who adds it, and nothing is added
  server.on('newListener', (event) => {
    if (event === 'upgrade') throw anotherListener('would get')
  })
  return { verifier: integration.verifier }
}

/** Closes it; `ws` would hand on what a client sends that does not answer, for 30 seconds. */
function expire(webSocket: WebSocketLike): void {
  const emit = webSocket.emit.bind(webSocket)
  webSocket.emit = (event, ...parameters) => !FROM_CLIENT.has(event) && emit(event, ...parameters)
  webSocket.close(TOKEN_EXPIRED, 'token_expired')
  const timer = setTimeout(() => webSocket.terminate(), LEAVE_WITHIN).unref()
  webSocket.once('close', () => clearTimeout(timer))
}

/** The events that bring what a client has sent. */
const FROM_CLIENT: ReadonlySet<unknown> = new Set(['message', 'ping', 'pong'])

/** Of two listeners each would answer, or one would let in what the other refuses. */
function anotherListener(how: string): Error {
  return invalidOptions(
    `the server ${how} another listener for upgrades, which would let in what protectUpgrade refuses: leave all ` +
      "upgrades to one protectUpgrade, and tell paths apart by the request's url when there is a connection",
  )
}
