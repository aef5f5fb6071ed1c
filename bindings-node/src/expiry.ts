/** Long connections, which end with their token if the application wants it. */

import type { Identity } from './identity'

// What setTimeout takes; beyond it, it fires at once
const LONGEST_MS = 2 ** 31 - 1

/** Calls `close` when the identity's token expires, unless the connection has closed before. The timer keeps no process alive. */
export function atExpiry(
  identity: Identity | undefined,
  connection: { once(event: 'close', listener: () => void): unknown },
  close: () => void,
): void {
  if (!identity) return
  const left = identity.expiresAt * 1000 - Date.now()
  const timer = setTimeout(
    () => (left > LONGEST_MS ? atExpiry(identity, connection, close) : close()),
    Math.min(Math.max(left, 0), LONGEST_MS),
  ).unref()
  connection.once('close', () => clearTimeout(timer))
}
