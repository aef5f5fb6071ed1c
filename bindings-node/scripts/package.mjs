// package.mjs PROFILE FOLDER [PLATFORM]: packs, of what tsc and cargo (with this profile) have built, the package pomerium-jwt
// and the one with the addon of PLATFORM, laid out as napi-rs does. Prints the two file names. PLATFORM is this machine's
// unless PROFILE is that of another target, such as aarch64-unknown-linux-gnu/dist.
//
// The optional dependencies are added here: a lock file with packages of the version in the making could not be installed.
// A release publishes every one of them, and before the package that names them: a name left to others would be installed.

import { execFileSync } from 'node:child_process'
import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

import { built, HERE, PLATFORM } from './addon.mjs'

const [profile, folder, platform = PLATFORM] = process.argv.slice(2)
const NOTICES = ['THIRD-PARTY-NOTICES.txt', 'sbom.cdx.json']
const manifest = JSON.parse(readFileSync(join(HERE, 'package.json'), 'utf8'))
const { name, version, license, repository, engines, platforms } = manifest

if (!platforms.includes(platform)) throw new Error(`add ${platform} to platforms in package.json`)
console.log(pack(name, main))
console.log(pack(`${name}-${platform}`, addon))

function pack(title, fill) {
  const stage = resolve(folder, title)
  rmSync(stage, { recursive: true, force: true })
  mkdirSync(stage, { recursive: true })
  copyFileSync(join(HERE, '..', 'LICENSE'), join(stage, 'LICENSE'))
  writeFileSync(join(stage, 'package.json'), JSON.stringify(fill(stage), null, 2))
  const output = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', resolve(folder)], {
    cwd: stage,
    encoding: 'utf8',
    shell: process.platform === 'win32', // where npm is a script
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
  const target = profile.includes('/') ? profile.split('/')[0] : 'host'
  execFileSync('python3', [join(HERE, '..', 'tools', 'notices'), 'pomerium-jwt-node', target, stage])
  const file = `${name}.${platform}.node`
  copyFileSync(built(profile, platform), join(stage, file))
  const [os, cpu, abi] = platform.split('-')
  const libc = { gnu: ['glibc'], musl: ['musl'] }[abi]
  const description = `The native half of ${name} for ${platform}`
  const common = { version, description, license, repository, engines }
  return {
    name: `${name}-${platform}`,
    ...common,
    os: [os],
    cpu: [cpu],
    ...(libc && { libc }),
    main: file,
    files: [file, ...NOTICES],
  }
}
