/** What integrations log: one line at start, and refusals. */

/** A logger, such as the console or one of pino and winston. */
export interface Logger {
  info(message: string): unknown
  warn(message: string): unknown
}

/** The console, but never standard output, which may be what a program is for. */
const STANDARD_ERROR: Logger = {
  info: (message) => console.warn(message),
  warn: (message) => console.warn(message),
}

/** What is logged for a code within a second. */
interface Burst {
  more: number
  last: string
}

const SECOND = 1000

/**
 * Refusals, at most one line a second for each code, with a count and one path: clients choose how
 * many there are, and on which paths.
 */
export class Log {
  static readonly #logs = new WeakMap<Logger, Log>()
  readonly #logger: Logger
  readonly #bursts = new Map<string, Burst>()

  /** The one for this logger: several middlewares of an application share it. */
  static to(logger: Logger = STANDARD_ERROR): Log {
    const log = Log.#logs.get(logger) ?? new Log(logger)
    Log.#logs.set(logger, log)
    return log
  }

  private constructor(logger: Logger) {
    this.#logger = logger
  }

  info(message: string): void {
    settle(this.#logger.info(`pomerium-jwt: ${message}`))
  }

  warn(message: string): void {
    settle(this.#logger.warn(`pomerium-jwt: ${message}`))
  }

  refused(code: string, reason: string, path: string): void {
    const line = `${shown(path)}: ${code}: ${reason}`
    const burst = this.#bursts.get(code)
    if (burst) {
      burst.more += 1
      burst.last = line
      return
    }
    this.warn(`refused ${line}`)
    this.#begin(code)
  }

  #begin(code: string): void {
    this.#bursts.set(code, { more: 0, last: '' })
    // A log keeps no process alive
    setTimeout(() => this.#end(code), SECOND).unref()
  }

  #end(code: string): void {
    const { more, last } = this.#bursts.get(code)!
    this.#bursts.delete(code)
    if (more === 0) return
    this.#begin(code)
    try {
      this.warn(`refused ${more} more within a second, the last one ${last}`)
    } catch {
      // A logger that fails in here would end the process; within a request it fails that request
    }
  }
}

const LONGEST = 200

/** In quotes, short, and printable: the client who sends a path writes no lines of their own into the log. */
function shown(path: string): string {
  const cut = path.length > LONGEST ? `${path.slice(0, LONGEST)}...` : path
  return JSON.stringify(cut).replace(/[^ -~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** A logger that fails later must not end the process, as a promise would that nobody waits for. */
function settle(written: unknown): void {
  Promise.resolve(written).catch(() => {})
}
