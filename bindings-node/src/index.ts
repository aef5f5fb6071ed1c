/**
 * Who is calling? Verifies the JWT that Pomerium puts into X-Pomerium-Jwt-Assertion, strictly and fast.
 *
 * Express and Connect: pomerium-jwt/express. Fastify, Koa, Hono, Next.js: pomerium-jwt/fastify, /koa, /hono, /next. Handlers of
 * the Fetch API: pomerium-jwt/fetch. Plain HTTP: pomerium-jwt/http. WebSockets: pomerium-jwt/ws. The official SDK's
 * interface: pomerium-jwt/js-sdk. Tests of applications: pomerium-jwt/testing.
 */
export { requireGroup, requireUser } from './demands'
export { type Code, type Kind, VerifyError } from './errors'
export { type Claims, Identity, type IdentityJson } from './identity'
export { logoutUrl } from './links'
export { type ExpectedClaims, type Jwks, type List, type Options, type RequestOptions, type Seconds } from './options'
export { type Health, type KeyStatus, type LastError, type Pinned, type State, type Status } from './status'
export { type RequestFacts, type Token, Verifier, type Waiting } from './verifier'
