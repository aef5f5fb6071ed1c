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
 * The addon of this platform: beside the package where it was built, else from the package that npm chose by its `os`,
 * `cpu` and `libc`. Of the two kinds of Linux only the fitting one is installed, so both can be asked for.
 */
function load(): Native {
  const system = `${process.platform}-${process.arch}`
  const kinds = { linux: ['-gnu', '-musl'], win32: ['-msvc'] } as Partial<Record<NodeJS.Platform, string[]>>
  const platforms = (kinds[process.platform] ?? ['']).map((kind) => system + kind)
  const places = platforms.flatMap((platform) => [`../pomerium-jwt.${platform}.node`, `pomerium-jwt-${platform}`])
  for (const place of places) {
    try {
      return require(place) as Native
    } catch (error) {
      if (!isMissing(error, place)) throw error
    }
  }
  const packages = platforms.map((platform) => `pomerium-jwt-${platform}`).join(' or ')
  throw new Error(
    `the package ${packages} is missing, which brings pomerium-jwt's native half for this system: ` +
      'install with optional dependencies, on the system that the application runs on',
  )
}

function isMissing(error: unknown, place: string): boolean {
  const { code, message } = error as NodeJS.ErrnoException
  return code === 'MODULE_NOT_FOUND' && message.includes(`'${place}'`)
}
