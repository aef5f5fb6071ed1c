/**
 * For tests of applications: tokens signed as Pomerium signs them, and verified as in production.
 *
 *     const issuer = new TestIssuer('app.example.com')
 *     const app = createApp(issuer.options)
 *     await fetch(url, { headers: issuer.headers({ sub: 'alice', groups: ['admins'] }) })
 */

import { accepted } from './errors'
import { type Options, Verifier } from './index'
import { native } from './native'
import { plain } from './options'

const HEADER = 'X-Pomerium-Jwt-Assertion'

// Beyond every leeway and every maxTokenAge in use
const LONG_AGO = 2 * 86_400

/** The claims of a token: those below, and any other. */
export interface TestClaims {
  /** Default "alice". With "" it is the token of a request to a public route, for nobody. */
  sub?: string
  /** Default: `sub` at example.com. */
  email?: string
  name?: string
  groups?: readonly string[]
  /** No claim: another host, which `iss` and `aud` follow. */
  host?: string
  /** No claim: the whole seconds from now to `exp`, also negative. Default 300. */
  expiresIn?: number
  /** No claim: the names of claims to leave out. */
  without?: readonly string[]
  [claim: string]: unknown
}

/** Stands in for Pomerium in tests: signs with a key of its own, which each TestIssuer makes. */
export class TestIssuer {
  /** The host of the application's route, without port. */
  readonly host: string
  readonly #signer = new native.Signer()

  constructor(host = 'app.example.com') {
    this.host = host
  }

  /** What a Verifier, or an integration, takes to accept these tokens: the route, and this issuer's JWK Set. */
  get options(): { route: string; jwks: { keys: Record<string, unknown>[] } } {
    return { route: `https://${this.host}`, jwks: JSON.parse(this.#signer.keySet()) }
  }

  /** A verifier that accepts these tokens, with more options if given. */
  verifier(options: Options = {}): Verifier {
    return new Verifier({ ...this.options, ...plain(options) })
  }

  /**
   * A token that was signed now and lives for five minutes. Any claim can be given, such as `groups: ['admins']` or
   * `exp: 0`. Throws VerifyError with `invalid_argument` for one that cannot be.
   */
  token(claims: TestClaims = {}): string {
    const { sub = 'alice', expiresIn, ...others } = claims
    const user = sub === '' ? {} : { email: `${sub}@example.com`, name: sub[0]!.toUpperCase() + sub.slice(1) }
    return accepted(
      this.#signer.token(this.host, now(), JSON.stringify({ sub, ...user, expires_in: expiresIn, ...others })),
    )
  }

  /** The request headers that carry such a token. */
  headers(claims?: TestClaims): Record<string, string> {
    return { [HEADER]: this.token(claims) }
  }

  /** A token that expired two days ago. */
  expired(claims?: TestClaims): string {
    const then = now() - LONG_AGO
    return this.token({ iat: then - 300, exp: then, ...claims })
  }

  /** A token for another application behind the same Pomerium. */
  wrongAudience(claims?: TestClaims): string {
    return this.token({ aud: 'another-application.example.com', ...claims })
  }
}

function now(): number {
  return Math.floor(Date.now() / 1000)
}
