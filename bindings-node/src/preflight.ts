/** CORS preflight requests: browsers send no credentials with them, so they pass without an identity. */

import type { IncomingMessage, ServerResponse } from 'node:http'

/** Whether this is one. */
export function isPreflight({ method, headers }: IncomingMessage): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined
}

/**
 * Anybody can send a preflight, and what looks at no method answers it as any other request: of that, status and headers
 * are sent.
 */
export function withoutContent(response: ServerResponse): void {
  const { writeHead, end, flushHeaders } = response as unknown as Methods
  const nothingAnnounced = () => {
    if (!response.headersSent && response.hasHeader('Content-Length')) response.setHeader('Content-Length', 0)
  }
  Object.assign(response, {
    writeHead(...parts: unknown[]): unknown {
      nothingAnnounced()
      return writeHead.apply(response, parts.map(announcingNothing))
    },
    flushHeaders(): void {
      nothingAnnounced()
      flushHeaders.call(response)
    },
    write(...parts: unknown[]): boolean {
      process.nextTick(callback(parts))
      return true
    },
    end(...parts: unknown[]): unknown {
      nothingAnnounced()
      return end.call(response, callback(parts))
    },
  })
}

/** Without the overloads, which a list of any parameters fits none of. */
type Methods = Record<'writeHead' | 'end' | 'flushHeaders', (...parts: unknown[]) => unknown>

/** The headers that writeHead takes, as an object or as a list of names and values, with no bytes to come. */
function announcingNothing(part: unknown): unknown {
  if (typeof part !== 'object' || part === null) return part
  const isLength = (name: unknown) => String(name).toLowerCase() === 'content-length'
  if (!Array.isArray(part)) {
    return Object.fromEntries(Object.entries(part).map(([name, value]) => [name, isLength(name) ? 0 : value]))
  }
  const list: unknown[] = Array.isArray(part[0]) ? part.flat() : part
  return list.map((value, index) => (index % 2 === 1 && isLength(list[index - 1]) ? '0' : value))
}

function callback(parts: unknown[]): () => void {
  return (parts.find((part) => typeof part === 'function') ?? (() => {})) as () => void
}
