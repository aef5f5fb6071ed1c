/**
 * Who is calling? Verifies the JWT that Pomerium puts into X-Pomerium-Jwt-Assertion, strictly and fast.
 *
 * Express: pomerium-jwt/express. Plain HTTP: pomerium-jwt/http. WebSockets: pomerium-jwt/ws. The official SDK's
 * interface: pomerium-jwt/js-sdk. Tests of applications: pomerium-jwt/testing.
 */
export { type Code, type Kind, VerifyError } from './errors'
export { type Claims, Identity } from './identity'
export { logoutUrl } from './links'
export { type ExpectedClaims, type Jwks, type List, type Options, type Seconds } from './options'
export { type Health, type KeyStatus, type LastError, type Pinned, type State, type Status } from './status'
export { type Token, Verifier } from './verifier'
