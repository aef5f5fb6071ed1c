// Compiled by readme.test.mjs, with --strict: what TypeScript's users meet in the integrations.

import { createServer, type IncomingMessage } from 'node:http'
import http2 from 'node:http2'

import connect from 'connect'
import express, { type RequestHandler } from 'express'
import { Hono } from 'hono'
import Koa from 'koa'
import {
  type Identity,
  requireGroup as demandGroup,
  requireUser as demandUser,
  Verifier,
  type VerifyError,
} from 'pomerium-jwt'
import { type Pomerium, pomerium, requireGroup, requireUser } from 'pomerium-jwt/express'
import { pomerium as forFetch } from 'pomerium-jwt/fetch'
import { pomerium as forHono } from 'pomerium-jwt/hono'
import { type Logger, protect } from 'pomerium-jwt/http'
import { type JWTPayload, parseJWT, PomeriumVerifier, type UnverifiedJWTPayload } from 'pomerium-jwt/js-sdk'
import { pomerium as forKoa } from 'pomerium-jwt/koa'
import { pomerium as forNext } from 'pomerium-jwt/next'
import { TestIssuer } from 'pomerium-jwt/testing'
import { protectUpgrade, TOKEN_EXPIRED } from 'pomerium-jwt/ws'
import { WebSocketServer } from 'ws'

const verifier: Verifier = new Verifier({ route: 'https://app.example.com' })

const app = express()
const middleware: Pomerium = pomerium({
  verifier,
  exemptPaths: '/health',
  requireGroup: 'staff',
  optional: undefined,
})
const handler: RequestHandler = middleware
connect().use(middleware).use(requireUser)
app.use(handler, middleware, requireUser, requireGroup('admins', 'owners'))
app.get('/', requireUser, (request, response) => {
  const identity: Identity | undefined = request.pomerium
  response.json({ email: identity?.email, department: identity?.claims['department'] })
  // @ts-expect-error -- a request may have passed without an identity
  response.json(request.pomerium.email)
  // @ts-expect-error -- nobody sets it
  request.pomerium = identity
})
// @ts-expect-error -- misspelt
pomerium({ verifier, exemptPath: ['/health'] })
// @ts-expect-error -- a string or a list
pomerium({ verifier, exemptPaths: true })
// @ts-expect-error -- names
requireGroup(1)
// @ts-expect-error -- the Verifier's own options too
pomerium({ route: 'https://app.example.com', leeway: '60' })

const listener = protect(
  async (request, response) => {
    response.end(request.pomerium?.subject)
  },
  {
    route: ['https://app.example.com'],
    errorHandler: ({ code, status }: VerifyError, request: IncomingMessage) => ({
      contentType: 'text/plain',
      body: `${status} ${code} ${request.url}`,
    }),
    onRefused: (code: string, reason: string, path: string) => console.log(code, reason, path),
    logger: console satisfies Logger,
  },
)
const server = createServer(listener)
http2.createServer(listener)
http2.createSecureServer({ allowHTTP1: true }, listener)
listener.verifier.health().keys_loaded satisfies boolean
listener.verifier.with({ exemptPaths: ['/a'] }).metrics() satisfies string
// @ts-expect-error -- the request options alone
listener.verifier.with({ leeway: 1 })
// @ts-expect-error -- it renders, and gives what it rendered
protect(() => {}, { verifier, errorHandler: () => true })

// Nobody passes without an identity
const strict = { verifier, optional: false, exemptPaths: [] } as const
new Koa().use(forKoa(strict)).use((ctx) => ctx.set('X-User', (ctx.state.pomerium satisfies Identity).subject))
new Hono().use(forHono(strict)).get('/', (c) => c.text((c.get('pomerium') satisfies Identity).subject))
const answered = await forFetch(strict)(new Request('https://app.example.com'))
answered instanceof Response || (answered satisfies Identity)
// @ts-expect-error -- a request may have passed without an identity
new Koa().use(forKoa({ verifier })).use((ctx) => ctx.set('X-User', ctx.state.pomerium.subject))
// @ts-expect-error -- the environment may name exempt paths
new Hono().use(forHono({ verifier, optional: false })).get('/', (c) => c.text(c.get('pomerium').subject))

const auth = forNext({ verifier, optional: false, exemptPaths: '/health' })
auth.protect((request, identity) => Response.json((identity satisfies Identity).email))
;(await auth.identity(new Headers())) satisfies Identity
// @ts-expect-error -- the environment may say that tokens are optional
forNext().protect((request, identity) => Response.json(identity.email))

const user: Identity = demandUser(await verifier.admit({ token: '', path: '/', upgrade: false }))
demandGroup(user, 'admins', 'owners') satisfies Identity

const webSockets = new WebSocketServer({ noServer: true })
protectUpgrade(server, webSockets, { verifier, closeAtExpiry: true }).verifier satisfies Verifier
webSockets.on('connection', (webSocket, request) => webSocket.close(TOKEN_EXPIRED, request.pomerium?.subject))
// @ts-expect-error -- no WebSocketServer
protectUpgrade(server, {}, { verifier })

const official = new PomeriumVerifier({
  issuer: 'app.example.com',
  audience: ['app.example.com'],
  expirationBuffer: 20,
})
const { payload, protectedHeader } = await official.verifyJwt('')
const sub: string | undefined = (payload satisfies JWTPayload).sub
const alg: string = protectedHeader.alg
const unverified: UnverifiedJWTPayload = parseJWT('')
// @ts-expect-error -- an argument is needed
new PomeriumVerifier()

const issuer = new TestIssuer('app.example.com')
const headers: Record<string, string> = issuer.headers({ sub: 'bob', groups: ['admins'], department: 'R&D' })
pomerium({ ...issuer.options, requireGroup: ['admins'] })
// @ts-expect-error -- whole seconds
issuer.token({ expiresIn: 'soon' })
export { alg, headers, sub, unverified }
