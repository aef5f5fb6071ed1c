/**
 * For Socket.IO 4, whose engine answers its own requests, which no middleware of a framework sees.
 *
 *     const io = new Server(server)
 *     protect(io, { route: 'https://app.example.com', closeAtExpiry: true })
 *     io.on('connection', (socket) => socket.emit('hello', socket.request.pomerium?.email))
 *
 * It covers every request and WebSocket of this Socket.IO server, in all its namespaces, on the HTTP server that it was
 * attached to last and on those that follow, and nothing else of them: call it after the first `attach`. (The identity is not in `socket.data`, which adapters send to other processes, as plain data.)
 */

import type { IncomingMessage } from 'node:http'

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
  readonly engine: EngineLike
  /** Called for each further server that is attached. */
  bind?(engine: any): unknown
}

interface EngineLike {
  use(middleware: Middleware): unknown
  on(event: 'connection', listener: (socket: any) => void): unknown
}

/**
 * Verifies each request before Socket.IO sees it, the polling ones of a session too, which belongs to who opened it.
 * `socket.request.pomerium` is who opened the connection. With `closeAtExpiry` the connection ends with that token, and the
 * client opens another.
 *
 * Throws VerifyError at once, so that a misconfigured application does not start. Gives the verifier.
 */
export function protect(io: SocketServerLike, options: UpgradeOptions = {}): { readonly verifier: Verifier } {
  const { closeAtExpiry = false, ...others } = plain(options)
  if (typeof closeAtExpiry !== 'boolean') throw invalidOptions('closeAtExpiry takes true or false')
  if (!io.engine)
    throw invalidOptions('the Socket.IO server has no HTTP server yet: call protect after attach or listen')
  const middleware = pomerium(others)
  const cover = (engine: EngineLike) => {
    engine.use(middleware)
    engine.use((request, _, next) => next(isTakenOver(engine, request) && new Error('a session of somebody else')))
    if (closeAtExpiry)
      engine.on('connection', (socket) => atExpiry(socket.request.pomerium, socket, () => socket.close()))
  }
  cover(io.engine)
  const bind = io.bind?.bind(io)
  if (bind) {
    io.bind = (engine: EngineLike) => {
      cover(engine)
      return bind(engine)
    }
  }
  return { verifier: middleware.verifier }
}

/** Whether a request continues a session that another user has opened: its id stands in URLs, and so in logs. */
function isTakenOver(engine: EngineLike, request: IncomingMessage): boolean {
  // TypeScript's declaration of engine.io hides it
  const { clients = {} } = engine as { clients?: Record<string, { request?: IncomingMessage }> }
  const ids = new URLSearchParams(/\?(.*)$/s.exec(request.url ?? '')?.[1]).getAll('sid')
  const openers = ids.filter((id) => Object.hasOwn(clients, id)).map((id) => clients[id]?.request)
  return openers.some((opener) => opener?.pomerium?.subject !== request.pomerium?.subject)
}
