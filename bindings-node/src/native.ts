/** The native half: what `native/*.rs` exports, and where it is found. Not part of the package's API. */

export interface Native {
  readonly NativeVerifier: { create(options: string): NativeVerifier | Refusal }
  readonly Signer: new () => Signer
  optionsFromEnv(): string | Refusal
  optionsOverEnv(options: string): { options: string; warning?: string } | Refusal
  optionNames(): string[]
  isUpgrade(joined: string): boolean
  codes(): { code: string; number: number; kind: string; status: number }[]
  refusal(code: string, message: string): Refusal
}

/**
 * An identity comes as one string: its JSON, a line feed, and the payload's own text; null is a request that passed
 * without one. A refusal with a ticket asks for one `refresh(false)`, and then for the same call with the ticket.
 */
export interface NativeVerifier {
  verify(token: unknown, ticket?: bigint): string | Refusal
  verifyAt(token: unknown, now: unknown): string | Refusal
  admit(
    token: unknown,
    path: unknown,
    upgrade: boolean,
    markedPublic: boolean,
    ticket?: bigint,
  ): string | null | Refusal
  with(options: string): NativeVerifier | Refusal
  readonly refreshing: boolean
  refresh(force: boolean): Promise<Refusal | null>
  status(): string | Refusal
  health(): string | Refusal
  metrics(): string | Refusal
  readonly summary: string
  readonly headerName: string
}

/** Signs as Pomerium would. */
export interface Signer {
  token(host: string, now: number, claims: string): string | Refusal
  keySet(): string
}

/** What a VerifyError is made of; with keys_needed, the ticket. */
export interface Refusal {
  readonly code: string
  readonly message: string
  readonly headers: { readonly [name: string]: string }
  readonly body: string
  readonly ticket?: bigint
}

export const native: Native = load()

/**
 * The addon of this system: next to the package if it was built there, else from the package that npm has chosen by its
 * `os`, `cpu` and `libc`. Installers that do not know `libc`, such as Yarn 1, bring both kinds of Linux, one of which cannot
 * be loaded.
 */
function load(): Native {
  const system = `${process.platform}-${process.arch}`
  const kinds: Partial<Record<NodeJS.Platform, string[]>> = { linux: ['-gnu', '-musl'], win32: ['-msvc'] }
  const platforms = (kinds[process.platform] ?? ['']).map((kind) => system + kind)
  const failures: unknown[] = []
  for (const platform of platforms) {
    const addon =
      found(() => require(`../pomerium-jwt.${platform}.node`), failures) ?? found(() => installed(platform), failures)
    if (addon) return addon
  }
  if (failures.length > 0) throw failures[0]
  const packages = platforms.map((platform) => `pomerium-jwt-${platform}`).join(' or ')
  throw new Error(
    `the package ${packages} is missing, which brings pomerium-jwt's native half for this system: ` +
      'install with optional dependencies, on the kind of system that the application runs on',
  )
}

/** Written out, as tools that gather what a program needs look for literals. A test compares it with package.json. */
function installed(platform: string): unknown {
  switch (platform) {
    case 'linux-x64-gnu':
      return require('pomerium-jwt-linux-x64-gnu')
    case 'linux-x64-musl':
      return require('pomerium-jwt-linux-x64-musl')
    case 'linux-arm64-gnu':
      return require('pomerium-jwt-linux-arm64-gnu')
    case 'linux-arm64-musl':
      return require('pomerium-jwt-linux-arm64-musl')
    case 'darwin-x64':
      return require('pomerium-jwt-darwin-x64')
    case 'darwin-arm64':
      return require('pomerium-jwt-darwin-arm64')
    case 'win32-x64-msvc':
      return require('pomerium-jwt-win32-x64-msvc')
    default:
      return undefined
  }
}

/** undefined if it is not there; if it is there and cannot be loaded, `failures` says why. */
function found(load: () => unknown, failures: unknown[]): Native | undefined {
  try {
    return load() as Native | undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') failures.push(error)
    return undefined
  }
}
