// addon.mjs PROFILE: copies the addon that cargo built next to the package: src/native.ts looks there first.

import { copyFileSync, renameSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const HERE = dirname(dirname(fileURLToPath(import.meta.url)))
export const TARGET = process.env.CARGO_TARGET_DIR ?? join(HERE, '..', 'target')

/** This machine, in the names of napi-rs. */
export const PLATFORM = `${process.platform}-${process.arch}${kind()}`

function kind() {
  if (process.platform === 'win32') return '-msvc'
  if (process.platform !== 'linux') return ''
  return process.report.getReport().header.glibcVersionRuntime ? '-gnu' : '-musl'
}

/** The library as cargo wrote it; `profile` is its folder below the target directory. */
export function built(profile, platform = PLATFORM) {
  const [prefix, suffix] = { win32: ['', '.dll'], darwin: ['lib', '.dylib'] }[platform.split('-')[0]] ?? ['lib', '.so']
  return join(TARGET, profile, `${prefix}pomerium_jwt_node${suffix}`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const place = join(HERE, `pomerium-jwt.${PLATFORM}.node`)
  // Renamed: a process that has the old one loaded keeps it
  copyFileSync(built(process.argv[2]), `${place}.new`)
  renameSync(`${place}.new`, place)
}
