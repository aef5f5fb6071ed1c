// package.mjs PROFILE FOLDER: packs, of what tsc and cargo (with this profile) have built, the package pomerium-jwt and the
// one with this machine's addon, laid out as napi-rs does. Prints the two file names.
//
// The optional dependencies are added here: a lock file with packages of the version in the making could not be installed.
// A release publishes every one of them, and before the package that names them: a name left to others would be installed.

import { execFileSync } from 'node:child_process'
import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

import { built, HERE, PLATFORM } from './addon.mjs'

const [profile, folder] = process.argv.slice(2)
const manifest = JSON.parse(readFileSync(join(HERE, 'package.json'), 'utf8'))
const { name, version, license, repository, engines, platforms } = manifest

if (!platforms.includes(PLATFORM)) throw new Error(`add ${PLATFORM} to platforms in package.json`)
console.log(pack(name, main))
console.log(pack(`${name}-${PLATFORM}`, addon))

function pack(title, fill) {
  const stage = resolve(folder, title)
  rmSync(stage, { recursive: true, force: true })
  mkdirSync(stage, { recursive: true })
  copyFileSync(join(HERE, '..', 'LICENSE'), join(stage, 'LICENSE'))
  writeFileSync(join(stage, 'package.json'), JSON.stringify(fill(stage), null, 2))
  const output = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', resolve(folder)], {
    cwd: stage,
    encoding: 'utf8',
  })
  return join(resolve(folder), JSON.parse(output)[0].filename)
}

/** What applications install. */
function main(stage) {
  for (const part of ['dist', 'README.md']) cpSync(join(HERE, part), join(stage, part), { recursive: true })
  const addons = Object.fromEntries(platforms.map((platform) => [`${name}-${platform}`, version]))
  const released = { ...manifest, optionalDependencies: addons }
  for (const own of ['private', 'platforms', 'scripts', 'devDependencies']) delete released[own]
  return released
}

/** What npm chooses by the machine. */
function addon(stage) {
  const file = `${name}.${PLATFORM}.node`
  copyFileSync(built(profile), join(stage, file))
  const [os, cpu, abi] = PLATFORM.split('-')
  const libc = { gnu: ['glibc'], musl: ['musl'] }[abi]
  const description = `The native half of ${name} for ${PLATFORM}`
  const common = { version, description, license, repository, engines }
  return {
    name: `${name}-${PLATFORM}`,
    ...common,
    os: [os],
    cpu: [cpu],
    ...(libc && { libc }),
    main: file,
    files: [file],
  }
}
