// Compiled by readme.test.mjs, with --strict: what TypeScript's users meet in the integrations.

import { createServer, type IncomingMessage } from 'node:http'

import express, { type RequestHandler } from 'express'
import { type Identity, Verifier } from 'pomerium-jwt'
import { type Pomerium, pomerium, requireGroup, requireUser } from 'pomerium-jwt/express'
import { protect, type Refusal } from 'pomerium-jwt/http'
import { type JWTPayload, parseJWT, PomeriumVerifier, type UnverifiedJWTPayload } from 'pomerium-jwt/js-sdk'
import { TestIssuer } from 'pomerium-jwt/testing'
import { protectUpgrade, TOKEN_EXPIRED } from 'pomerium-jwt/ws'
import { WebSocketServer } from 'ws'

const verifier: Verifier = new Verifier({ route: 'https://app.example.com' })

const app = express()
const middleware: Pomerium = pomerium({
  verifier,
  exemptPaths: ['/healthz'],
  requireGroup: 'staff',
  optional: undefined,
})
const handler: RequestHandler = middleware
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
pomerium({ verifier, exemptPath: ['/healthz'] })
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
    errorHandler: ({ code, status }: Refusal, request: IncomingMessage) => ({
      contentType: 'text/plain',
      body: `${status} ${code} ${request.url}`,
    }),
    onRefused: (code: string, message: string, path: string) => console.log(code, message, path),
  },
)
const server = createServer(listener)
listener.verifier.health().keysLoaded satisfies boolean
// @ts-expect-error -- it renders, and gives what it rendered
protect(() => {}, { verifier, errorHandler: () => true })

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
