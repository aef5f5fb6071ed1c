/**
 * Middleware for Koa.
 *
 *     app.use(pomerium({ route: 'https://app.example.com' }))
 *     app.use((ctx) => (ctx.body = `hello ${ctx.state.pomerium?.email}`))
 *
 * It covers every middleware that comes later in the application. It does not cover WebSockets on the same server:
 * `protectUpgrade` of pomerium-jwt/ws covers those.
 */

import type { Context, Middleware } from 'koa'

import { checkGroups, requireGroup as demandGroup, requireUser as demandUser } from './demands'
import { admit, setIdentity } from './incoming'
import type { Identity, Verifier } from './index'
import { type Answer, type Caller, demanded, Integration, type PomeriumOptions } from './integration'
import { shownPath } from './request'

export type { Caller, IntegrationOptions, PomeriumOptions, Rendered } from './integration'
export type { Logger } from './log'

/** The middleware, with its verifier for `verifier.health()`, `verifier.refresh()` and `verifier.metrics()`. */
export type Pomerium<Given = PomeriumOptions> = Middleware<{ readonly pomerium: Caller<Given> }> & {
  readonly verifier: Verifier
}

/**
 * Lets requests in as `verifier.admit` says, with the identity in `ctx.state.pomerium`, and answers the others itself.
 *
 * `exemptPaths` are whole paths, with the prefix of a mount by koa-mount. None is exempt inside of a router, nor if
 * `ctx.routerPath` leads the router to another path. Throws VerifyError at once, so that a
 * misconfigured application does not start.
 */
export function pomerium<const Given extends PomeriumOptions>(options?: Given): Pomerium<Given> {
  const integration = new Integration(options)
  const middleware: Middleware = async (ctx, next) => {
    const { method, originalUrl, mountPath: baseUrl = '' } = ctx as Context & { mountPath?: string }
    const url = isRoutedElsewhere(ctx) ? '' : ctx.req.url
    let identity: Identity | undefined
    try {
      identity = await admit(integration, ctx.req, false, { method, url, originalUrl, baseUrl })
    } catch (error) {
      return send(ctx, await integration.answerAnyhow(error, ctx.req, shownPath(ctx)))
    }
    setIdentity(ctx.state, identity)
    return next()
  }
  return Object.assign(middleware, { verifier: integration.verifier })
}

/**
 * Whether @koa/router would go by another path than the request's: that is what its versions to 10 take of
 * `ctx.routerPath`, and later ones of `ctx.newRouterPath`. Inside of a router the former is the route's pattern.
 */
function isRoutedElsewhere(ctx: Context & { routerPath?: string; newRouterPath?: string }): boolean {
  return [ctx.routerPath, ctx.newRouterPath].some((path) => path && path !== ctx.path)
}

/** For signed-in users alone: of use with the options `optional`, `exemptPaths` and `allowAnonymous`. */
export const requireUser: Middleware = demand((identity) => demandUser(identity))

/** For users in at least one of these groups; for all others the answer is 403. Comes after `pomerium()`. */
export function requireGroup(...groups: readonly string[]): Middleware {
  checkGroups(groups)
  return demand((identity) => demandGroup(identity, ...groups))
}

function demand(check: (identity: Identity | undefined) => Identity): Middleware {
  return async (ctx, next) => {
    const answer = await demanded(ctx.req, shownPath(ctx), check)
    return answer ? send(ctx, answer) : next()
  }
}

function send(ctx: Context, { status, headers, body }: Answer): void {
  ctx.status = status
  ctx.set({ ...headers })
  ctx.body = typeof body === 'string' ? body : Buffer.from(body)
}
