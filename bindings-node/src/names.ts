/** The names of options: snake_case in the core, camelCase here. */

import { native } from './native'

/** The mechanical rule between the core's names and ours. */
export function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

/** Our name of each option to the core's. */
export const CORE_NAMES: ReadonlyMap<string, string> = new Map(
  native.optionNames().map((name) => [camelCase(name), name]),
)

const OURS_OR_QUOTED = new RegExp(`"(?:[^"\\\\]|\\\\.)*"|\\b(?:${[...CORE_NAMES.values()].join('|')})\\b`, 'g')

/** A sentence of the core with our names of options; what it quotes stays as it was written. */
export function inOurWords(sentence: string): string {
  return sentence.replace(OURS_OR_QUOTED, (part) => (part.startsWith('"') ? part : camelCase(part)))
}
