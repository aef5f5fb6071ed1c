/** What one route demands in addition to the options. The express middlewares of the same names call these. */

import { made } from './errors'
import type { Identity } from './identity'

/**
 * Throws VerifyError `token_missing` if the request passed without an identity, and `subject_missing` if nobody is signed
 * in.
 */
export function requireUser<C>(identity: Identity<C> | undefined): Identity<C> {
  if (!identity) {
    throw made('token_missing', 'this route demands a signed-in user, and the request passed without a token')
  }
  if (identity.anonymous) throw made('subject_missing', 'this route demands a signed-in user, and sub is empty')
  return identity
}

/** As requireUser; throws VerifyError `group_required` if the user is not in at least one of these groups. */
export function requireGroup<C>(identity: Identity<C> | undefined, ...groups: readonly string[]): Identity<C> {
  checkGroups(groups)
  const user = requireUser(identity)
  if (user.inAnyGroup(...groups)) return user
  const names = groups.slice(0, 4).map((group) => JSON.stringify(group))
  const more = groups.length > names.length ? ', ...' : ''
  throw made('group_required', `the user is in none of the groups that this route demands: ${names.join(', ')}${more}`)
}

/** To demand none of no groups would let everybody in. */
export function checkGroups(groups: readonly string[]): void {
  if (groups.length === 0 || groups.some((group) => typeof group !== 'string')) {
    throw made('invalid_argument', "requireGroup takes the names of groups, at least one: requireGroup('admins')")
  }
}
