/** Addresses of Pomerium itself, below the application's own host. */

/**
 * Where a user signs out of Pomerium, as a path of the application's own host.
 *
 * @param returnTo the URL to go to afterwards, which Pomerium must know as one of its routes
 */
export function logoutUrl(returnTo?: string): string {
  const path = '/.pomerium/sign_out'
  return returnTo === undefined ? path : `${path}?pomerium_redirect_uri=${encodeURIComponent(returnTo)}`
}
