/**
 * For Socket.IO 4, whose engine answers its own requests, which no middleware of a framework sees.
 *
 *     const io = new Server(server)
 *     protect(io, { route: 'https://app.example.com', closeAtExpiry: true })
 *     io.on('connection', (socket) => socket.emit('hello', socket.request.pomerium?.email))
 *
 * It covers every request and WebSocket of this Socket.IO server, in all its namespaces, and nothing else of the HTTP
 * server below it. (The identity is not in `socket.data`, which adapters send to other processes, as plain data.)
 */

import { invalidOptions } from './errors'
import { atExpiry } from './expiry'
import { type Middleware, pomerium } from './express'
import type { Verifier } from './index'
import { plain } from './options'
import type { UpgradeOptions } from './ws'

export type { IntegrationOptions, PomeriumOptions, Rendered } from './integration'
export type { Logger } from './log'
export type { UpgradeOptions } from './ws'

/** What is needed of a Server of `socket.io`. */
export interface SocketServerLike {
  readonly engine: {
    use(middleware: Middleware): unknown
    on(event: 'connection', listener: (socket: any) => void): unknown
  }
}

/**
 * Verifies each request, the polling ones of a session too, before Socket.IO sees it; `socket.request.pomerium` is who
 * opened the connection. With `closeAtExpiry` the connection ends with that token, and the client opens another.
 *
 * Throws VerifyError at once, so that a misconfigured application does not start. Gives the verifier.
 */
export function protect(io: SocketServerLike, options: UpgradeOptions = {}): { readonly verifier: Verifier } {
  const { closeAtExpiry = false, ...others } = plain(options)
  if (typeof closeAtExpiry !== 'boolean') throw invalidOptions('closeAtExpiry takes true or false')
  if (!io.engine)
    throw invalidOptions('the Socket.IO server has no HTTP server yet: call protect after attach or listen')
  const middleware = pomerium(others)
  io.engine.use(middleware)
  if (closeAtExpiry)
    io.engine.on('connection', (socket) => atExpiry(socket.request.pomerium, socket, () => socket.close()))
  return { verifier: middleware.verifier }
}
