/**
 * A plugin for Fastify 5.
 *
 *     await app.register(pomerium, { route: 'https://app.example.com' })
 *     app.get('/', async (request) => `hello ${request.pomerium?.email}`)
 *
 * It covers every route of the instance that it is registered on, earlier ones too, and of all plugins registered later,
 * with unknown paths, static files, WebSockets of @fastify/websocket, and what `rewriteUrl` has changed. Plugins registered
 * before it that have routes of their own, or middleware as @fastify/middie does, would not be covered: then the application
 * does not start. It does not cover what earlier plugins answer in an onRequest hook of their own, the application's
 * `frameworkErrors`, and listeners that are added to `app.server`. Registered within another plugin it covers that plugin alone, unless
 * fastify-plugin is around it.
 */

import type { FastifyInstance, FastifyPluginAsync, FastifyReply, onRequestAsyncHookHandler } from 'fastify'

import { checkGroups, requireGroup as demandGroup, requireUser as demandUser } from './demands'
import { invalidOptions } from './errors'
import { admit } from './incoming'
import type { Identity, Verifier } from './index'
import { admissions, type Answer, demanded, Integration, type PomeriumOptions } from './integration'
import { shownPath, unchangedPlace } from './request'

export type { IntegrationOptions, PomeriumOptions, Rendered } from './integration'
export type { Logger } from './log'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who is calling; undefined if the request passed without an identity. Read-only. */
    readonly pomerium: Identity | undefined
  }
  interface FastifyInstance {
    /** The verifier of the plugin, for `health()`, `refresh()` and `metrics()`. */
    readonly pomerium: Verifier
  }
}

/**
 * Lets requests in as `verifier.admit` says, with the identity in `request.pomerium`, and answers the others itself, before
 * anything of them is read. Wrong options stop the application when it gets ready.
 */
export const pomerium: FastifyPluginAsync<PomeriumOptions> = async (app, options) => {
  if (childrenOf(app).length > 0) {
    throw invalidOptions(
      'a plugin registered before this one has a context of its own, whose routes would not be verified: register ' +
        'pomerium first (after @fastify/cors), and give the paths of public routes in exemptPaths',
    )
  }
  if (app.hasDecorator('use')) {
    throw invalidOptions(
      '@fastify/middie or @fastify/express is registered before this plugin, and answers before it is asked: register ' +
        'pomerium first',
    )
  }
  const integration = new Integration(options)
  if (!app.hasRequestDecorator('pomerium')) {
    app.decorateRequest('pomerium', {
      getter() {
        return admissions.get(this.raw)?.identity
      },
    })
  }
  if (!app.hasDecorator('pomerium')) app.decorate('pomerium', { getter: () => integration.verifier })
  app.addHook('onRequest', async ({ raw }, reply) => {
    try {
      await admit(integration, raw, false, unchangedPlace(raw))
    } catch (error) {
      return send(reply, await integration.answerAnyhow(error, raw, shownPath(raw)))
    }
  })
}

/** For signed-in users alone: of use with the options `optional`, `exemptPaths` and `allowAnonymous`. */
export const requireUser: onRequestAsyncHookHandler = demand((identity) => demandUser(identity))

/** A hook of single routes, for users in at least one of these groups: `{ onRequest: requireGroup('admins') }`. */
export function requireGroup(...groups: readonly string[]): onRequestAsyncHookHandler {
  checkGroups(groups)
  return demand((identity) => demandGroup(identity, ...groups))
}

function demand(check: (identity: Identity | undefined) => Identity): onRequestAsyncHookHandler {
  return async ({ raw }, reply) => {
    const answer = await demanded(raw, shownPath(raw), check)
    return answer && send(reply, answer)
  }
}

/** A Buffer: to a string Fastify adds a charset. */
function send(reply: FastifyReply, { status, headers, body }: Answer): FastifyReply {
  const { raw } = reply.request
  // @fastify/websocket leaves the connection open, on which nobody reads any more
  if (raw.headers.upgrade !== undefined) {
    reply.header('Connection', 'close')
    reply.raw.once('finish', () => raw.socket.end())
  }
  return reply.code(status).headers(headers).send(Buffer.from(body))
}

/** The contexts that earlier plugins have got: Fastify gives them copies of the hooks that there were then. */
function childrenOf(app: FastifyInstance): unknown[] {
  const symbol = Object.getOwnPropertySymbols(app).find(({ description }) => description === 'fastify.children')
  if (!symbol) throw new Error('this version of Fastify does not tell which plugins are registered: use Fastify 5')
  return (app as unknown as Record<symbol, unknown[]>)[symbol]!
}

// What fastify-plugin sets: hooks and decorators belong to the instance that it is registered on
Object.assign(pomerium, {
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'pomerium-jwt',
  [Symbol.for('plugin-meta')]: { name: 'pomerium-jwt', fastify: '5.x' },
})
