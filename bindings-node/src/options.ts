import { invalidOptions } from './errors'
import { native } from './native'

/** A string or a list of strings. */
export type List = string | readonly string[]

/** A JWK Set (RFC 7517). */
export type Jwks = { readonly keys: readonly object[] }

/** Claims to demand: name to value or list of values. */
export type ExpectedClaims = { readonly [name: string]: List }

/** Whole seconds. */
export type Seconds = number

/**
 * What Verifier takes, in camelCase. Every option left out or undefined has its default; defaults, ranges and meaning are
 * the core's, whose messages write the names in snake_case: jwks_url is jwksUrl here.
 */
export interface Options {
  readonly route?: List | undefined
  readonly issuer?: List | undefined
  readonly audience?: List | undefined
  readonly jwksUrl?: string | undefined
  readonly jwks?: Jwks | undefined
  readonly jwksFile?: string | undefined
  readonly publicKey?: string | undefined
  readonly publicKeyFile?: string | undefined
  readonly trustOnFirstUse?: boolean | undefined
  readonly algorithms?: List | undefined
  readonly expectClaims?: ExpectedClaims | undefined
  readonly pinKids?: List | undefined
  readonly leeway?: Seconds | undefined
  readonly maxTokenAge?: Seconds | undefined
  readonly allowAnonymous?: boolean | undefined
  readonly maxTokenBytes?: number | undefined
  readonly jwksInitial?: Jwks | undefined
  readonly caFile?: string | undefined
  readonly caPem?: string | undefined
  readonly connectTo?: string | undefined
  readonly timeout?: Seconds | undefined
  readonly allowHttp?: boolean | undefined
  readonly cacheTtl?: Seconds | undefined
  readonly maxStale?: Seconds | undefined
  readonly refetchCooldown?: Seconds | undefined
  readonly headerName?: string | undefined
  readonly optional?: boolean | undefined
  readonly exemptPaths?: List | undefined
  readonly requireGroup?: List | undefined
}

/** The document that the core judges. Throws invalid_options for what JSON cannot say. */
export function toJson(options: Options): string {
  checkOwn(options)
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  return JSON.stringify(Object.fromEntries(given.map(([name, value]) => [coreName(name), coreValue(name, value)])))
}

/** Options as users write them, of the core's document. */
export function fromJson(json: string): Options {
  const entries = Object.entries(JSON.parse(json) as Record<string, unknown>)
  return Object.fromEntries(entries.map(([name, value]) => [camelCase(name), value]))
}

/** The mechanical rule between the core's names and ours. */
export function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

const CORE_NAMES = new Map(native.optionNames().map((name) => [camelCase(name), name]))

/** Only an object's own members are read: an option that it inherits, as from a getter of its class, would be none. */
export function checkOwn(options: object): void {
  if (typeof options !== 'object' || options === null) throw invalidOptions('write the options as an object')
  for (const name of CORE_NAMES.keys()) {
    if (name in options && !Object.hasOwn(options, name)) {
      throw invalidOptions(`${name} is inherited, or comes from a class: write the options as a plain object`)
    }
  }
}

/** The core's name; one that it does not know goes to it as it is, for its hints. */
function coreName(name: string): string {
  const spelled = camelCase(name)
  if (spelled !== name && CORE_NAMES.has(spelled)) throw invalidOptions(`option "${name}" is unknown: write ${spelled}`)
  return CORE_NAMES.get(name) ?? name
}

/** The value as it is, if it ends somewhere and JSON can say it. */
function coreValue(name: string, value: unknown): unknown {
  try {
    return checked(name, value)
  } catch (error) {
    throw error instanceof RangeError ? invalidOptions(`${name}: is nested too deep, or holds itself`) : error
  }
}

/** JSON.stringify leaves out or empties what it does not know, so that a demand could vanish: such values are refused. */
function checked(name: string, value: unknown): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  if (Array.isArray(value)) return value.map((item) => checked(name, item))
  const kind = Object.prototype.toString.call(value).slice('[object '.length, -1)
  if (kind === 'Object') {
    const members = Object.entries(value as object).map(([member, item]) => [member, checked(name, item)])
    return Object.fromEntries(members)
  }
  throw invalidOptions(`${name}: takes no ${typeof value === 'number' ? value : kind}`)
}
