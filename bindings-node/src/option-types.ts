// Written by `make conformance` from the core's table of options: change core/src/options/table.rs, not this file.

/** A string or a list of strings. */
export type List = string | readonly string[]

/** A JWK Set (RFC 7517). */
export type Jwks = { readonly keys: readonly object[] }

/** Claims to demand: name to value or list of values. */
export type ExpectedClaims = { readonly [name: string]: List }

/** Whole seconds. */
export type Seconds = number

/** Which requests get in: what `Verifier.with` may replace. */
export interface RequestOptions {
  /**
   * The request header that carries the token.
   * @default 'X-Pomerium-Jwt-Assertion'
   */
  readonly headerName?: string | undefined
  /**
   * Let requests without a token pass, without an identity. A token that does not verify is refused all the same.
   * @default false
   */
  readonly optional?: boolean | undefined
  /** Paths that need no token: `/health`, or `/public/*` for everything below `/public/`. */
  readonly exemptPaths?: List | undefined
  /** The user must be in one of these groups. */
  readonly requireGroup?: List | undefined
}

/** What Verifier takes. An option that is left out or undefined has its default. */
export interface Options extends RequestOptions {
  /**
   * Pomerium's own `from:` URL, or a list of them: `https://host[:port]` without a path. Gives `issuer` and `audience`
   * (the host without its port, which Pomerium never writes) and `jwksUrl` (of the first one without `*`). One value
   * protects an application; explicit options override what it gives.
   */
  readonly route?: List | undefined
  /**
   * Accepted `iss`, a string or a list. `host` accepts `host` and `https://host/`, an entry with a scheme only itself,
   * `*.suffix` one or more labels before the suffix. Required unless `route` or `trustOnFirstUse`.
   */
  readonly issuer?: List | undefined
  /**
   * Accepted `aud`, any of them, written as `issuer`. Required unless `route` or `trustOnFirstUse`: one key signs every
   * route, so without it a token for one application opens another.
   */
  readonly audience?: List | undefined
  /** URL of the JWK Set. Default: derived from `route` or `issuer`. */
  readonly jwksUrl?: string | undefined
  /** The JWK Set itself, an object in JSON. */
  readonly jwks?: Jwks | undefined
  /** A file that holds the JWK Set. A change is picked up within a second. */
  readonly jwksFile?: string | undefined
  /** One public key: PEM of the key or of a certificate, or that PEM in base64, as Pomerium's settings are. */
  readonly publicKey?: string | undefined
  /** A file that holds what `publicKey` takes. */
  readonly publicKeyFile?: string | undefined
  /**
   * Pin the issuer and audience of the first verified token if they are not configured. For development; needs a key
   * source of its own.
   * @default false
   */
  readonly trustOnFirstUse?: boolean | undefined
  /**
   * Accepted `alg`: ES256, RS256. Pomerium signs RS256 only if its signing key is RSA.
   * @default ['ES256']
   */
  readonly algorithms?: List | undefined
  /** Claims to demand: name -> string or list. The claim must equal one of them or, if it is a list, contain one. */
  readonly expectClaims?: ExpectedClaims | undefined
  /** RFC 7638 thumbprints in lower-case hex (Pomerium's `kid`): all other keys are skipped. */
  readonly pinKids?: List | undefined
  /**
   * Seconds of tolerance on `exp`, `nbf` and `iat`. From 0 to 3600.
   * @default 60
   */
  readonly leeway?: Seconds | undefined
  /** Seconds since `iat` after which a token is refused. From 1 to 2147483648. */
  readonly maxTokenAge?: Seconds | undefined
  /**
   * Accept a token whose `sub` is empty: public routes are signed too, with no user.
   * @default false
   */
  readonly allowAnonymous?: boolean | undefined
  /**
   * The longest token accepted, in bytes. Envoy limits all headers together to 128 KiB. From 1024 to 1048576.
   * @default 131072
   */
  readonly maxTokenBytes?: number | undefined
  /** A JWK Set to start with when keys are fetched, as if fetched one ttl before construction: for cold starts. */
  readonly jwksInitial?: Jwks | undefined
  /** A file of CA certificates in PEM to trust for the fetch, in addition to the system's. Read at each fetch. */
  readonly caFile?: string | undefined
  /** CA certificates in PEM to trust for the fetch, in addition to the system's. */
  readonly caPem?: string | undefined
  /**
   * Connect to this `host:port` to fetch keys. The Host header, SNI and certificate check still use the host of
   * `jwksUrl`.
   */
  readonly connectTo?: string | undefined
  /**
   * Seconds for one whole fetch, and the bound of every wait for it. From 1 to 60.
   * @default 3
   */
  readonly timeout?: Seconds | undefined
  /**
   * Fetch keys over plain http from addresses other than loopback.
   * @default false
   */
  readonly allowHttp?: boolean | undefined
  /**
   * Seconds for which a fetched set is fresh. Default: the response's Cache-Control within 60 to 3600, else 300. From 1
   * to 86400.
   */
  readonly cacheTtl?: Seconds | undefined
  /**
   * Seconds beyond twice the ttl for which the last good keys are used while the source fails. From 0 to 604800.
   * @default 3600
   */
  readonly maxStale?: Seconds | undefined
  /**
   * The longest pause in seconds between fetches that unknown key ids cause. From 1 to 3600.
   * @default 10
   */
  readonly refetchCooldown?: Seconds | undefined
}
