/**
 * For MCP servers over Streamable HTTP, with `@modelcontextprotocol/sdk`: in a tool, who is calling.
 *
 *     await transport.handleRequest(withAuthInfo(request), response, request.body)
 *
 *     server.registerTool('whoami', {}, (extra) => ({ content: [{ type: 'text', text: caller(extra).email ?? '' }] }))
 *
 * It verifies nothing by itself: what has let the request in does, such as `pomerium()` of pomerium-jwt/express. The
 * identity is that of the request which called the tool, and not that of the one which began its session.
 */

import { requireUser } from './demands'
import { Identity } from './identity'

/** What the SDK calls AuthInfo. */
export interface AuthInfo {
  /** Empty: no tool needs the token, which would be accepted in other places. */
  token: string
  clientId: string
  scopes: string[]
  /** Unix time in seconds. */
  expiresAt: number
  extra: { readonly pomerium: Identity }
}

/** The request with its identity in `auth`, where StreamableHTTPServerTransport looks for it. */
export function withAuthInfo<Request extends { readonly pomerium?: Identity | undefined }>(
  request: Request,
): Request & { auth?: AuthInfo } {
  return Object.assign(request, { auth: authInfo(request.pomerium) as AuthInfo })
}

/** The same for transports that take a Request of the Fetch API: their option `authInfo`. */
export function authInfo(identity: Identity | undefined): AuthInfo | undefined {
  if (!identity) return undefined
  return { token: '', clientId: 'pomerium', scopes: [], expiresAt: identity.expiresAt, extra: { pomerium: identity } }
}

/**
 * Who called this tool, of its `extra`. Throws VerifyError `token_missing` if the request passed without an identity, and
 * `subject_missing` if nobody is signed in; the SDK tells the client the code alone.
 */
export function caller(extra: {
  readonly authInfo?: { readonly extra?: Record<string, unknown> | undefined } | undefined
}): Identity {
  const identity = extra.authInfo?.extra?.['pomerium']
  return requireUser(identity instanceof Identity ? identity : undefined)
}
