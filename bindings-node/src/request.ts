/** The facts of a Node request. They decide nothing: the core does. */

import type { IncomingMessage } from 'node:http'

import { native } from './native'
import type { RequestFacts } from './verifier'

/** A request as the integrations see it: Express and Connect add what the client asked for, and where they are mounted. */
export type IncomingRequest = IncomingMessage & { originalUrl?: string; baseUrl?: string }

/** Collects what `verifier.admit` takes. `headerName` is in lower case; `upgrade` if the server itself reports one. */
export function factsOf(request: IncomingRequest, headerName: string, upgrade: boolean): RequestFacts {
  return {
    token: joined(request, headerName),
    path: sentPath(request),
    upgrade: upgrade || request.method === 'CONNECT' || native.isUpgrade(joined(request, 'upgrade')),
  }
}

/** Where the client asked to go, without the query, for the log. */
export function shownPath({ url = '', originalUrl = url }: IncomingRequest): string {
  return withoutQuery(originalUrl)
}

/** All values of a header, as they came. Of several, `request.headers` keeps only one for names such as Authorization. */
function joined(request: IncomingMessage, name: string): string {
  const { rawHeaders } = request
  // Adapters of serverless platforms fill in `headers` alone
  if (!rawHeaders?.length) return ofHeaders(request, name)
  const values: string[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const found = rawHeaders[index]!
    if (found.length === name.length && found.toLowerCase() === name) values.push(rawHeaders[index + 1]!)
  }
  return values.join(',')
}

function ofHeaders({ headers }: IncomingMessage, name: string): string {
  const found = Object.entries(headers ?? {}).filter(([other]) => other.toLowerCase() === name)
  return found.flatMap(([, values]) => values ?? []).join(',')
}

/**
 * The path as the client sent it; "" if the router goes by another one, because something in front rewrote it, or if that
 * cannot be told.
 */
function sentPath({ method, url = '', originalUrl, baseUrl }: IncomingRequest): string {
  if (method === 'CONNECT') return ''
  // A plain listener compares the whole target, in which an absolute one is another
  if (originalUrl === undefined) return url.startsWith('/') ? withoutQuery(url) : ''
  const [sent, routed] = [pathOf(originalUrl), pathOf(url)]
  // Connect takes a mount's prefix off and does not keep it: a path that differs may have been rewritten
  if (baseUrl === undefined) return sent === routed ? sent : ''
  // Of /api, the root of a router mounted there, Express makes /
  return sent === baseUrl + routed || (sent === baseUrl && routed === '/') ? sent : ''
}

/** The path of a target, which may be an absolute one with an authority that every reader takes for the same. */
function pathOf(target: string): string {
  const path = withoutQuery(target)
  if (path.startsWith('/')) return path
  // Node's url.parse, by which Express routes, makes of a colon without a port a part of the path: http://a:b/c is /:b/c
  return /^https?:\/\/(?:[\w.-]+|\[[\da-f.:]+\])(?::\d+)?(\/.*)$/i.exec(path)?.[1] ?? ''
}

function withoutQuery(target: string): string {
  const query = target.indexOf('?')
  return query < 0 ? target : target.slice(0, query)
}
