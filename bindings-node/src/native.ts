/** The native half: what `native/*.rs` exports, and where it is found. Not part of the package's API. */

export interface Native {
  readonly NativeVerifier: { create(options: string): NativeVerifier | Refusal }
  readonly Signer: new () => Signer
  optionsFromEnv(): string | Refusal
  optionNames(): string[]
  codes(): { code: string; number: number; kind: string; status: number }[]
}

/** What answers with a string answers with the identity's JSON, a line feed, and the payload's own text. */
export interface NativeVerifier {
  start(token: unknown): string | Refusal
  finish(token: unknown, ticket: bigint): string | Refusal
  verifyAt(token: unknown, now: unknown): string | Refusal
  readonly refreshing: boolean
  refresh(force: boolean): Promise<Refusal | null>
  status(): string | Refusal
}

/** Signs as Pomerium would. */
export interface Signer {
  token(host: string, now: number, claims: string): string | Refusal
  keySet(): string
}

/** What a VerifyError is made of; with keys_needed, what finish takes. */
export interface Refusal {
  readonly code: string
  readonly message: string
  readonly retryAfter?: number
  readonly ticket?: bigint
}

export const native: Native = load()

/**
 * The addon of this system: beside the package where it was built, else from the package that npm has chosen by its `os`,
 * `cpu` and `libc`. Installers that know no `libc`, such as Yarn 1, bring both kinds of Linux, of which one cannot be loaded.
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
