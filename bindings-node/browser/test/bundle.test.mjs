// What bundlers make of the entries: small, and without the native half.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'

import { build as vite } from 'vite'
import webpack from 'webpack'

import { PACKAGE, project } from '../../test/servers.mjs'
import { bundle, EXAMPLE } from './world.mjs'

test('pomerium-jwt/browser is at most 1 kB, minified and compressed', async () => {
  const { text, inputs } = await bundle(`export * from 'pomerium-jwt/browser'`)
  const size = gzipSync(text, { level: 9 }).length
  console.log(`pomerium-jwt/browser: ${size} bytes`)
  assert(size <= 1000, `${size} bytes`)
  assert.deepEqual(inputs, ['dist/browser/index.mjs', '<stdin>'])
})

for (const [entry, others] of [
  ['react', /^(dist\/browser\/[\w-]+\.mjs|node_modules\/(react|use-sync-external-store)\/.*|<stdin>)$/],
  ['js-sdk/browser', /^(dist\/browser\/[\w-]+\.mjs|node_modules\/jose\/dist\/webapi\/.*|<stdin>)$/],
]) {
  test(`a page with pomerium-jwt/${entry} has nothing of a server`, async () => {
    const { inputs } = await bundle(`export * from 'pomerium-jwt/${entry}'`)
    for (const input of inputs) assert.match(input, others)
  })
}

const PAGE = `
  import { getUser } from 'pomerium-jwt/browser'
  import { usePomeriumUser } from 'pomerium-jwt/react'
  import { PomeriumVerifier } from 'pomerium-jwt/js-sdk/browser'
  console.log(getUser, usePomeriumUser, PomeriumVerifier)`

/** A page's program in a project of its own. */
function page() {
  const folder = project('react', 'jose')
  writeFileSync(path.join(folder, 'page.mjs'), PAGE)
  return folder
}

test('Vite builds a page', async () => {
  const folder = page()
  const build = { write: false, rollupOptions: { input: path.join(folder, 'page.mjs') } }
  const { output } = await vite({ root: folder, logLevel: 'silent', configFile: false, build })
  assertForPages(output.flatMap(({ moduleIds = [] }) => moduleIds))
})

test('webpack builds a page', async () => {
  const folder = page()
  const output = { path: path.join(folder, 'out') }
  const stats = await new Promise((resolve, reject) => {
    const done = (error, stats) => (error ? reject(error) : resolve(stats))
    webpack({ mode: 'production', target: 'web', entry: path.join(folder, 'page.mjs'), output }, done)
  })
  const { errors, modules } = stats.toJson({ all: false, errors: true, modules: true, nestedModules: true })
  assert.deepEqual(errors, [])
  assertForPages(
    modules
      .flatMap(({ nameForCondition, modules = [] }) => [
        nameForCondition,
        ...modules.map((one) => one.nameForCondition),
      ])
      .filter(Boolean),
  )
})

function assertForPages(modules) {
  const ours = modules.filter((name) => name.startsWith(path.join(PACKAGE, 'dist')))
  const names = ours.map((name) => path.relative(path.join(PACKAGE, 'dist'), name))
  assert.deepEqual([...new Set(names)].sort(), ['browser/index.mjs', 'browser/js-sdk.mjs', 'browser/react.mjs'])
}

test('types, strictly, for bundlers and for Node', () => {
  const folder = project('@types', 'react', 'jose')
  cpSync(path.join(import.meta.dirname, 'types.mts'), path.join(folder, 'types.mts'))
  const strict = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--target', 'es2022', '--lib', 'es2022,dom']
  for (const resolution of [
    ['--module', 'nodenext'],
    ['--module', 'esnext', '--moduleResolution', 'bundler'],
  ]) {
    compile(folder, ...strict, ...resolution, 'types.mts')
  }
})

test('types of examples/react, strictly', () => {
  const jsx = ['--jsx', 'react-jsx', '--module', 'esnext', '--moduleResolution', 'bundler', '--types', 'vite/client']
  compile(EXAMPLE, '--noEmit', '--strict', '--target', 'es2022', '--lib', 'es2022,dom', ...jsx, 'src/main.tsx')
})

test('the README shows the React program as it is', () => {
  const readme = readFileSync(path.join(PACKAGE, 'README.md'), 'utf8')
  const [, quoted] = /<!-- file: examples\/react\/src\/main\.tsx -->\n```tsx\n(.*?)```/s.exec(readme)
  assert.equal(quoted, readFileSync(path.join(EXAMPLE, 'src/main.tsx'), 'utf8'), 'run make conformance')
})

function compile(folder, ...options) {
  const tsc = path.join(PACKAGE, 'node_modules', 'typescript', 'bin', 'tsc')
  const { status, stdout, stderr } = spawnSync(process.execPath, [tsc, ...options], { cwd: folder, encoding: 'utf8' })
  assert.equal(status, 0, stdout + stderr)
}
