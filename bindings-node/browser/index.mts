/**
 * For pages behind Pomerium: who is signed in, signing out, and noticing that the session has ended.
 *
 * Nothing here is verified, since Pomerium gives pages no token. It is for display: what a user may do is decided by the
 * server, which verifies each request.
 */

/** Who is signed in, as Pomerium says. **For display, never for a decision**: users can change what their browser shows. */
export interface PomeriumUser {
  /** The stable id of the user, never empty. */
  readonly subject: string
  /** null if there is none. */
  readonly email: string | null
  /** null if there is none. */
  readonly name: string | null
  /** Empty if there are none. */
  readonly groups: readonly string[]
  /** All that Pomerium said, as it is, such as what `jwt_claims_headers` adds. */
  readonly claims: Readonly<Record<string, unknown>>
}

/** What pomeriumFetch rejects with if the session has ended. */
export class SessionEndedError extends Error {
  override readonly name = 'SessionEndedError'

  constructor(options?: ErrorOptions) {
    super('The Pomerium session has ended', options)
  }
}

/**
 * Asks Pomerium who is signed in; null if nobody is. Rejects if Pomerium cannot be reached, and if something else answers.
 *
 * @example const user = await getUser() // { email: 'alice@example.com', groups: ['admins'], ... }
 */
export async function getUser(options?: Pick<RequestInit, 'signal'>): Promise<PomeriumUser | null> {
  // The query keeps a service worker from answering with what it has stored
  const response = await fetch(`${location.origin}/.pomerium/user?${Date.now()}`, {
    ...options,
    headers: { Accept: 'application/json' },
    cache: 'no-store',
    redirect: 'manual',
  })
  if (response.type === 'opaqueredirect' || response.status === 401) return null
  const claims: unknown = response.ok && (await response.json().catch(() => null))
  if (claims !== Object(claims)) {
    throw new Error(`/.pomerium/user: ${response.status} without JSON: is Pomerium in front?`)
  }
  const { sub, user, email, name, groups } = claims as Record<string, unknown>
  const subject = text(sub ?? user)
  if (!subject) return null // a public route
  return {
    subject,
    email: text(email),
    name: text(name),
    groups: Array.isArray(groups) ? groups.filter((group) => typeof group === 'string') : [],
    claims: claims as Record<string, unknown>,
  }
}

/**
 * Leaves the page and signs the user out of Pomerium.
 *
 * @param returnTo where to go afterwards: a path of this origin such as `/bye`, or a whole URL. Write it in code and never
 *   take it from the address bar: Pomerium goes wherever it says. From 0.33 on Pomerium follows it only with the runtime
 *   flag `allow_any_sign_out_redirect_uri`. Throws TypeError for anything else, such as `//other.example.com`.
 */
export function signOut(returnTo?: string): void {
  let query = ''
  if (returnTo) {
    const url = new URL(returnTo, location.origin)
    if (url.origin !== location.origin && !/^https?:\/\//i.test(returnTo)) {
      throw new TypeError(`signOut takes a path or a whole URL, not ${returnTo}`)
    }
    query = `?pomerium_redirect_uri=${encodeURIComponent(url.href)}`
  }
  location.assign(`${location.origin}/.pomerium/sign_out${query}`)
}

/**
 * Reloads the page, which leads to Pomerium's login if the session has ended. Not twice within ten seconds, and not at all
 * if `sessionStorage` is blocked, so that it cannot become a loop. What the user has typed is lost: ask first.
 *
 * @returns whether the page is about to be reloaded. If not, show a message.
 */
export function signInAgain(): boolean {
  const name = 'pomerium-jwt'
  const now = Date.now()
  try {
    if (Math.abs(now - Number(sessionStorage.getItem(name))) < 10_000) return false
    sessionStorage.setItem(name, `${now}`)
  } catch {
    return false
  }
  location.reload()
  return true
}

/**
 * Whether nobody is signed in any more. Ask it when an EventSource or a WebSocket has ended, which do not say why. False if
 * Pomerium cannot be reached.
 *
 * @example source.onerror = async () => { if (await isSessionEnded()) signInAgain() }
 */
export async function isSessionEnded(): Promise<boolean> {
  return (await getUser().catch(() => undefined)) === null
}

/**
 * `fetch` that rejects with SessionEndedError if the session has ended. All else is what fetch does: the application's own
 * 401 and 403 are responses, a broken network is a TypeError, and nothing is sent twice. Requests to other origins go to
 * fetch as they are.
 *
 * A response that could be Pomerium's (a redirect, 401, HTML instead of JSON) is not judged by its looks: Pomerium is
 * asked. On a public route, where nobody has a session, use fetch.
 */
export async function pomeriumFetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const request = new Request(input, init)
  if (new URL(request.url).origin !== location.origin) return fetch(request)
  const accept = header(request, 'Accept')
  try {
    const response = await fetch(request)
    if ((await isSuspicious(response, accept)) && (await isSessionEnded())) throw new SessionEndedError()
    return response
  } catch (error) {
    // What fetch throws after a redirect to the login page of another origin, and if the network is broken
    if (error instanceof TypeError && (await isSessionEnded())) throw new SessionEndedError({ cause: error })
    throw error
  }
}

async function isSuspicious(response: Response, accept: string): Promise<boolean> {
  const isHtml = /html/.test(header(response, 'Content-Type'))
  if (response.type === 'opaqueredirect') return true
  // `pomerium-jwt dev` has its login page on the same origin
  if (response.redirected && response.url.startsWith(`${location.origin}/.pomerium/`)) return true
  if (response.status !== 401) return isHtml && /json|event-stream/.test(accept)
  // Pomerium's own, {"error":"Unauthenticated","request_id":"..."}, and not the application's
  return isHtml || /"error": *"Unauthenticated"/.test(await response.clone().text())
}

function header({ headers }: Request | Response, name: string): string {
  return headers.get(name) ?? ''
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value ? value : null
}
