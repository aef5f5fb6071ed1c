// Bundlers that leave pomerium-jwt out of the bundle, as the README says, and tools that gather what a program needs: what
// they write verifies. Turbopack: next.test.mjs.

import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'

import ncc from '@vercel/ncc'
import { nodeFileTrace } from '@vercel/nft'
import { build as esbuild } from 'esbuild'
import { rollup } from 'rollup'
import { build as vite } from 'vite'
import webpack from 'webpack'

import { ask, PACKAGE, project, run } from './servers.mjs'

const SERVER = `
import { createServer } from 'node:http'
import { protect } from 'pomerium-jwt/http'
import { TestIssuer } from 'pomerium-jwt/testing'
const issuer = new TestIssuer()
const listener = protect((request, response) => response.end(request.pomerium.subject), issuer.options)
const server = createServer((request, response) => {
  if (request.url === '/token') response.end(issuer.token())
  else listener(request, response)
})
server.listen(0, '127.0.0.1', () => console.log('http://127.0.0.1:' + server.address().port))
`

const bundlers = {
  esbuild: ({ input, output }) =>
    esbuild({
      ...{ entryPoints: [input], outfile: output, bundle: true, platform: 'node', format: 'esm' },
      ...{ external: ['pomerium-jwt'], logLevel: 'silent' },
    }),
  Rollup: async ({ input, output }) => {
    const bundle = await rollup({ input, external: [/^node:/, /^pomerium-jwt/] })
    await bundle.write({ file: output, format: 'es' })
  },
  Vite: ({ folder, input, output }) =>
    vite({
      ...{ root: folder, logLevel: 'silent', configFile: false, ssr: { external: ['pomerium-jwt'] } },
      build: {
        ...{ ssr: input, outDir: path.dirname(output), emptyOutDir: false },
        rollupOptions: { output: { entryFileNames: path.basename(output) } },
      },
    }),
}

bundlers.webpack = ({ input, output }) =>
  new Promise((resolve, reject) => {
    const done = (error, stats) => (error || stats.hasErrors() ? reject(error ?? stats.toString()) : resolve())
    webpack(
      {
        ...{ mode: 'production', target: 'node', entry: input, experiments: { outputModule: true } },
        output: {
          path: path.dirname(output),
          filename: path.basename(output),
          module: true,
          library: { type: 'module' },
        },
        externals: ({ request }, callback) =>
          request.startsWith('pomerium-jwt') ? callback(null, `module ${request}`) : callback(),
      },
      done,
    )
  })

/** Takes the addon along: nothing is left out. */
bundlers.ncc = async ({ folder, input, output }) => {
  const { code, assets } = await ncc(input, { cache: false, quiet: true })
  writeFileSync(output, code)
  for (const [name, { source }] of Object.entries(assets)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    writeFileSync(path.join(folder, name), source)
  }
}

/** Names the files that the program needs: copied, they run in a folder where nothing else is. */
bundlers.nft = async ({ folder, input, output }) => {
  const { fileList } = await nodeFileTrace([input], { base: '/' })
  const files = [...fileList].map((file) => `/${file}`)
  assert.equal(files.filter((file) => file.endsWith('.node')).length, 1, 'the addon of this system alone')
  // The link to this package is among them
  const place = path.join(folder, 'traced')
  for (const file of files) cpSync(file, path.join(place, file), { verbatimSymlinks: true })
  return path.join(place, input)
}

for (const [name, bundle] of Object.entries(bundlers)) {
  test(`${name}: the bundle verifies`, async (context) => {
    const folder = project()
    const [input, output] = ['server.mjs', 'bundle.mjs'].map((file) => path.join(folder, file))
    writeFileSync(input, SERVER)
    const program = await bundle({ folder, input, output })
    const { port, log } = await run(context, typeof program === 'string' ? program : output, {})
    assert(port, log)
    const { body: token } = await ask(port, '/token')
    assert.equal((await ask(port, '/', { 'X-Pomerium-Jwt-Assertion': token })).body, 'alice')
    assert.deepEqual((await ask(port, '/')).body, { error: 'token_missing' })
  })
}

test('for edge runtimes every module is one error, a sentence', async () => {
  const { name, exports } = JSON.parse(readFileSync(path.join(PACKAGE, 'package.json'), 'utf8'))
  const entries = Object.keys(exports).filter((entry) => exports[entry].default)
  assert(entries.length >= 14)
  const input = path.join(project(), 'worker.mjs')
  writeFileSync(input, entries.map((entry) => `import '${path.posix.join(name, entry)}'`).join('\n'))
  for (const condition of ['edge-light', 'workerd']) {
    const options = { bundle: true, write: false, logLevel: 'silent', conditions: [condition], ignoreAnnotations: true }
    const { errors } = await esbuild({ entryPoints: [input], ...options }).catch((error) => error)
    assert.equal(errors.length, 1, condition)
    assert.match(errors[0].text, /pomerium-jwt needs Node\.js and does not run on an edge runtime/)
  }
})
