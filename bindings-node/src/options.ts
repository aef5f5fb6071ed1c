/** Options on their way to the core: strictly, so that no demand is lost. */

import { invalidOptions } from './errors'
import { CORE_NAMES, camelCase } from './names'

export type { ExpectedClaims, Jwks, List, Options, RequestOptions, Seconds } from './option-types'

/** The document that the core judges. Throws invalid_options for what JSON cannot say. */
export function toJson(options: object): string {
  const given = dataMembers(options, 'the options').filter(([, value]) => value !== undefined)
  return JSON.stringify(Object.fromEntries(given.map(([name, value]) => [coreName(name), checked(value, name, 1)])))
}

/** A copy of options, if they are plain data of their own. It inherits nothing: no polluted prototype adds an option. */
export function plain<T extends object>(options: T): T {
  return Object.assign(Object.create(null), Object.fromEntries(dataMembers(options, 'the options'))) as T
}

/** An object's members, if they are plain data of its own: what is inherited or computed would be passed over. */
function dataMembers(object: unknown, what: string): [string, unknown][] {
  if (!isPlain(object)) throw invalidOptions(`${what}: write an object literal, not ${kindOf(object)}`)
  const members = Object.getOwnPropertyDescriptors(object)
  return Reflect.ownKeys(members).map((name) => {
    const member = members[name as string]!
    if (typeof name !== 'string' || !member.enumerable || !('value' in member)) {
      throw invalidOptions(`${what}: ${String(name)} is not a plain member: write it as name: value`)
    }
    return [name, member.value]
  })
}

/** The core's name; one that it does not know goes to it as it is, for its hints. */
function coreName(name: string): string {
  const spelled = camelCase(name)
  if (spelled !== name && CORE_NAMES.has(spelled)) throw invalidOptions(`option "${name}" is unknown: write ${spelled}`)
  return CORE_NAMES.get(name) ?? name
}

// The core's own limit, which a structure that holds itself meets too
const DEEPEST = 64

/** JSON.stringify leaves out or empties what it does not know, so that a demand could vanish: such values are refused. */
function checked(value: unknown, option: string, depth: number): unknown {
  if (depth > DEEPEST) throw invalidOptions(`${option} is nested deeper than ${DEEPEST} levels, or holds itself`)
  if (value === null || typeof value === 'boolean') return value
  if (typeof value === 'string' && wellFormed(value)) return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  // Array.from visits holes too
  if (Array.isArray(value)) return Array.from(value, (item) => checked(item, option, depth + 1))
  if (typeof value === 'object') {
    const members = dataMembers(value, option)
    return Object.fromEntries(members.map(([name, item]) => [name, checked(item, option, depth + 1)]))
  }
  throw invalidOptions(`${option} does not take ${kindOf(value)}`)
}

/** An object literal, of this realm or of another (those of test runners), or one without a prototype. */
function isPlain(value: unknown): value is object {
  if (Object.prototype.toString.call(value) !== '[object Object]') return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.hasOwn(prototype as object, 'isPrototypeOf')
}

function wellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text)
}

function kindOf(value: unknown): string {
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string') return 'a string' + (wellFormed(value) ? '' : ' that is not well-formed Unicode')
  const kind = Object.prototype.toString.call(value).slice('[object '.length, -1)
  return kind === 'Object' ? 'an instance of a class' : kind
}
