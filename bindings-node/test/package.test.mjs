// The package as strangers meet it: packed, installed into a fresh project outside the repository, its types compiled.

import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'

import { PLATFORM } from '../scripts/addon.mjs'
import { ROOT } from './servers.mjs'

const HERE = path.join(ROOT, 'bindings-node')
const BIN = path.join(HERE, 'node_modules', '.bin')
const MANIFEST = JSON.parse(readFileSync(path.join(HERE, 'package.json'), 'utf8'))
// For servers; those for pages are modules of one kind, and tested in a browser
const ENTRIES = Object.keys(MANIFEST.exports).filter((entry) => MANIFEST.exports[entry].default?.endsWith('.js'))
const FOR_PAGES = Object.keys(MANIFEST.exports).filter((entry) => String(MANIFEST.exports[entry]).endsWith('.mjs'))

let folder, main, addon, project

before(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'pomerium-jwt-'))
  // The profile that make has built: what is released differs in speed only
  const printed = run(process.execPath, [path.join(HERE, 'scripts/package.mjs'), 'debug', folder])
  ;[main, addon] = printed.trim().split('\n')
  project = fresh('project', main, addon)
})

after(() => rmSync(folder, { recursive: true }))

/** A project with these packages, installed with nothing but them and Node: no network, no cache, no compiler. */
function fresh(name, ...packages) {
  const place = path.join(folder, name)
  mkdirSync(path.join(place, 'bin'), { recursive: true })
  for (const command of ['node', 'npm', 'sh', 'env']) symlinkSync(which(command), path.join(place, 'bin', command))
  writeFileSync(path.join(place, 'package.json'), '{ "private": true }')
  const options = ['--offline', '--no-audit', '--no-fund', '--cache', path.join(place, 'cache')]
  run(path.join(place, 'bin', 'npm'), ['install', ...options, ...packages], place)
  return place
}

function which(command) {
  return run('sh', ['-c', `command -v ${command}`]).trim()
}

function run(command, parameters, cwd = HERE) {
  const env = cwd === HERE ? process.env : { PATH: path.join(cwd, 'bin'), HOME: folder }
  const { status, stdout, stderr, error } = spawnSync(command, parameters, { cwd, env, encoding: 'utf8' })
  if (error) throw error
  assert.equal(status, 0, `${command} ${parameters.join(' ')}\n${stdout}\n${stderr}`)
  return stdout
}

/** Runs this text as a program of the project. */
function program(text, kind, place = project) {
  const file = path.join(place, `program.${kind}`)
  writeFileSync(file, text)
  return run(path.join(place, 'bin', 'node'), [file], place)
}

const USE = `
const issuer = new TestIssuer('app.example.com')
const identity = issuer.verifier().verifySync(issuer.token({ groups: ['admins'] }))
let code
try { issuer.verifier().verifySync(issuer.expired()) } catch (error) { code = error instanceof VerifyError && error.code }
console.log(identity.email, identity.groups[0], identity instanceof Identity, code)
`
const USED = 'alice@example.com admins true token_expired\n'

test('imported and required as a stranger would', () => {
  const names = '{ Identity, VerifyError }'
  const imports = `import ${names} from 'pomerium-jwt'\nimport { TestIssuer } from 'pomerium-jwt/testing'`
  assert.equal(program(imports + USE, 'mjs'), USED)
  const requires = `const ${names} = require('pomerium-jwt')\nconst { TestIssuer } = require('pomerium-jwt/testing')`
  assert.equal(program(requires + USE, 'cjs'), USED)
})

test('each entry point is one module, whether it is imported or required', () => {
  // The one framework that an entry point loads, and not only its types
  for (const name of ['@nestjs', 'reflect-metadata']) {
    symlinkSync(path.join(HERE, 'node_modules', name), path.join(project, 'node_modules', name))
  }
  const names = ENTRIES.map((entry) => path.posix.join(MANIFEST.name, entry))
  const text = `
    import assert from 'node:assert/strict'
    import { createRequire } from 'node:module'
    const require = createRequire(import.meta.url)
    for (const name of ${JSON.stringify(names)}) {
      const imported = await import(name)
      const required = require(name)
      assert(Object.keys(required).length > 0, name)
      for (const member of Object.keys(required)) assert.equal(imported[member], required[member], member)
    }
    console.log(Object.keys(require('pomerium-jwt')).join())`
  assert.equal(program(text, 'mjs'), 'requireGroup,requireUser,VerifyError,Identity,logoutUrl,Verifier\n')
})

test('without the package of its platform it names what is missing', () => {
  const place = fresh('without-addon', main)
  const text = `try { require('pomerium-jwt') } catch (error) { console.log(error.message) }`
  assert.match(program(text, 'cjs', place), new RegExp(`the package pomerium-jwt-${PLATFORM} .* is missing`))
})

test('if both kinds of Linux are installed, as by Yarn 1, the one that fits is loaded', () => {
  const place = fresh('both-kinds', main)
  const install = (kind, fill) => {
    const name = `pomerium-jwt-${process.platform}-${process.arch}-${kind}`
    const stage = path.join(place, 'node_modules', name)
    mkdirSync(stage)
    writeFileSync(path.join(stage, 'package.json'), JSON.stringify({ name, main: 'addon.node' }))
    fill(path.join(stage, 'addon.node'))
  }
  const text = `try { require('pomerium-jwt'); console.log('loaded') } catch (error) { console.log(error.code) }`
  install('gnu', (file) => writeFileSync(file, 'of another system'))
  assert.equal(program(text, 'cjs', place), 'ERR_DLOPEN_FAILED\n', 'what cannot be loaded says why')
  const own = path.join(project, 'node_modules', `pomerium-jwt-${PLATFORM}`, `pomerium-jwt.${PLATFORM}.node`)
  install('musl', (file) => cpSync(own, file))
  assert.equal(program(text, 'cjs', place), 'loaded\n')
})

test('the packages hold what they should, and nothing else', () => {
  const sources = readdirSync(path.join(HERE, 'src')).map((name) => path.basename(name, '.ts'))
  const compiled = sources.flatMap((name) => [`dist/${name}.js`, `dist/${name}.d.ts`])
  for (const source of readdirSync(path.join(HERE, 'browser')).filter((name) => name.endsWith('.mts'))) {
    const name = `dist/browser/${path.basename(source, '.mts')}`
    compiled.push(`${name}.mjs`, `${name}.d.mts`)
  }
  assert.deepEqual(packed(main), [...compiled, 'LICENSE', 'README.md', 'package.json'].sort())
  const files = ['LICENSE', 'THIRD-PARTY-NOTICES.txt', 'package.json', `pomerium-jwt.${PLATFORM}.node`, 'sbom.cdx.json']
  assert.deepEqual(packed(addon), files)
})

function packed(file) {
  const listed = execFileSync('tar', ['tzf', file], { encoding: 'utf8' }).trim().split('\n')
  return listed.map((name) => name.replace(/^package\//, '')).sort()
}

test('the version is that of the workspace, everywhere', () => {
  const [, version] = /^version = "(.*)"$/m.exec(readFileSync(path.join(ROOT, 'Cargo.toml'), 'utf8'))
  const installed = JSON.parse(readFileSync(path.join(project, 'node_modules/pomerium-jwt/package.json'), 'utf8'))
  const platform = JSON.parse(
    readFileSync(path.join(project, `node_modules/pomerium-jwt-${PLATFORM}/package.json`), 'utf8'),
  )
  assert.equal(MANIFEST.version, version, 'write the version of Cargo.toml in bindings-node/package.json')
  assert.deepEqual(new Set(Object.values(installed.optionalDependencies)), new Set([version]))
  assert.deepEqual([platform.version, platform.os, platform.cpu], [version, [process.platform], [process.arch]])
  for (const name of ['dependencies', 'scripts', 'private'])
    assert.equal(installed[name] ?? platform[name], undefined, name)
})

test('the loader knows the platforms of package.json', () => {
  const source = readFileSync(path.join(HERE, 'src/native.ts'), 'utf8')
  const known = [...source.matchAll(/case '(.*)':\n +return require\('pomerium-jwt-\1'\)/g)].map(([, name]) => name)
  assert.deepEqual(known, MANIFEST.platforms, 'write them in src/native.ts')
})

test('the lock files name no registry', () => {
  for (const folder of [
    HERE,
    path.join(ROOT, 'examples/node'),
    path.join(ROOT, 'examples/node/next'),
    path.join(ROOT, 'examples/react'),
    path.join(ROOT, 'bench/node'),
    path.join(ROOT, 'tools/runtimes'),
  ]) {
    const lock = readFileSync(path.join(folder, 'package-lock.json'), 'utf8')
    assert.doesNotMatch(
      lock,
      /"resolved": "\w+:|\.tgz"/,
      `${folder}: remove the lines "resolved"; .npmrc asks for none`,
    )
  }
})

for (const kind of ['mts', 'cts']) {
  test(`types, in a module that ${kind === 'mts' ? 'imports' : 'requires'}`, () => {
    cpSync(path.join(HERE, 'test/programs/types.mts'), path.join(project, `types.${kind}`))
    const types = ['--typeRoots', path.join(HERE, 'node_modules/@types'), '--types', 'node']
    const strict = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2022', ...types, `types.${kind}`]
    run(process.execPath, [path.join(HERE, 'node_modules/typescript/bin/tsc'), ...strict], project)
  })
}

test('types resolve for both kinds of modules, for bundlers, and for TypeScript that knows no exports', () => {
  const attw = (...options) => run(path.join(BIN, 'attw'), [main, '--no-color', '--no-emoji', ...options])
  attw('--exclude-entrypoints', ...FOR_PAGES)
  attw('--profile', 'esm-only', '--entrypoints', ...FOR_PAGES)
})

test('formatted', () => {
  const folders = [
    '{src,test,scripts}/**/*.{ts,mts,mjs}',
    '../{examples,bench}/node/*.{mjs,mts}',
    '../examples/node/next/{*,app/**/*}.{js,mjs}',
    'package.json',
  ]
  folders.push('browser/**/*.{mts,mjs,jsx,json}', '../examples/react/{*,src/*}.{html,js,mjs,tsx,css}')
  run(path.join(BIN, 'prettier'), ['--config', '.prettierrc.json', '--check', ...folders])
})
