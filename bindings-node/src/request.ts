/** The facts of a Node request. They decide nothing: the core does. */

import type { IncomingMessage } from 'node:http'

import { native } from './native'
import type { RequestFacts } from './verifier'

/** A request as the integrations see it: Express and Connect add what the client asked for, and where they are mounted. */
export type IncomingRequest = IncomingMessage & { originalUrl?: string | undefined; baseUrl?: string }

/** Where a request goes: what the client asked for, what the router sees, and the prefix of a mount in between. */
export type Place = Pick<IncomingRequest, 'url' | 'method' | 'originalUrl' | 'baseUrl'>

/** Collects what `verifier.admit` takes. `headerName` is in lower case; `upgrade` if the server itself reports one. */
export function factsOf(
  request: IncomingRequest,
  headerName: string,
  upgrade: boolean,
  place: Place = request,
): RequestFacts {
  return {
    token: joined(request, headerName),
    path: sentPath(place),
    upgrade: upgrade || request.method === 'CONNECT' || native.isUpgrade(joined(request, 'upgrade')),
  }
}

/**
 * The same of a request of the Fetch API. `routed` is the path that the router goes by; what the client sent may differ
 * from it, if a server keeps it in `incoming`.
 */
export function factsOfFetch(
  { headers, url }: Request,
  headerName: string,
  routed: string,
  incoming?: IncomingRequest,
): RequestFacts {
  if (incoming) {
    const { method = '', url = '', originalUrl = url, baseUrl = '' } = incoming
    const facts = factsOf(incoming, headerName, false, { method, url, originalUrl, baseUrl })
    return { ...facts, path: facts.path === routed ? routed : '' }
  }
  return {
    token: headers.get(headerName) ?? '',
    path: pathOf(url) === routed ? routed : '',
    upgrade: native.isUpgrade(headers.get('upgrade') ?? ''),
  }
}

/**
 * What the client asked for, if the router goes by it; for Fastify, which keeps `originalUrl` only if there is a
 * `rewriteUrl`, and Nest. An absolute target is left as it is, which is never exempt: Fastify's router reads some of them
 * otherwise than we do.
 */
export function unchangedPlace({ method, url, originalUrl = url }: Place): Place {
  return { method, url: originalUrl === url ? url : '' }
}

/** Where the client asked to go, without the query, for the log. */
export function shownPath({ url = '', originalUrl = url }: Pick<Place, 'url' | 'originalUrl'>): string {
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
function sentPath({ method, url = '', originalUrl, baseUrl }: Place): string {
  if (method === 'CONNECT') return ''
  // Express copies such a value into the request: nobody can tell any more what the client has sent
  if ('originalUrl' in Object.prototype || 'baseUrl' in Object.prototype) return ''
  // A plain listener compares the whole target, in which an absolute one is another
  if (originalUrl === undefined) return url.startsWith('/') ? withoutQuery(url) : ''
  const [sent, routed] = [pathOf(originalUrl), pathOf(url)]
  // Connect takes a mount's prefix off and does not keep it: a path that differs may have been rewritten
  if (baseUrl === undefined) return sent === routed ? sent : ''
  // Of /api, the root of a router mounted there, Express makes /
  return sent === baseUrl + routed || (sent === baseUrl && routed === '/') ? sent : ''
}

/** The path of a target, which may be an absolute one with an authority that every reader takes for the same. */
export function pathOf(target: string): string {
  const path = withoutQuery(target)
  if (path.startsWith('/')) return path
  // Node's url.parse, by which Express routes, makes of a colon without a port a part of the path: http://a:b/c is /:b/c
  return /^https?:\/\/(?:[\w.-]+|\[[\da-f.:]+\])(?::\d+)?(\/.*)$/i.exec(path)?.[1] ?? ''
}

function withoutQuery(target: string): string {
  const query = target.indexOf('?')
  return query < 0 ? target : target.slice(0, query)
}
