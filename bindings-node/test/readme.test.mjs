// The README: what it quotes is what is there, its programs compile, its table of the official SDK is complete.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'

import * as officialInterface from 'pomerium-jwt/js-sdk'

import { ask, environment, PACKAGE, project, ROOT, run } from './servers.mjs'

const readme = readFileSync(path.join(PACKAGE, 'README.md'), 'utf8')
const NEXT = /<!-- file: examples\/node\/next\/(\S+) -->\n```js\n(.*?)```/gs
// Those of Next.js are modules of one application
const blocks = [...readme.replaceAll(NEXT, '').matchAll(/```(?:js|ts)\n(.*?)```/gs)].map(([, block]) => block)

test('examples are quoted as they are', () => {
  const quoted = [...readme.matchAll(/<!-- file: (\S+) -->\n```js\n(.*?)```/gs)]
  assert.deepEqual(
    quoted.map(([, file]) => file),
    [
      'examples/node/hello.mjs',
      'examples/node/app.mjs',
      ...['auth.js', 'proxy.js', 'instrumentation.js', 'app/hello/route.js', 'app/me/page.js'].map(
        (file) => `examples/node/next/${file}`,
      ),
    ],
  )
  for (const [, file, text] of quoted) {
    const copy = `run make conformance, which copies ${file}`
    assert.equal(text, readFileSync(path.join(ROOT, file), 'utf8'), copy)
  }
})

test('every export of the official interface is there', () => {
  const names = Object.keys(officialInterface).filter((name) => typeof officialInterface[name] === 'function')
  assert(names.length >= 6)
  for (const name of names) {
    const isThere = new RegExp(`^\\| \`(new )?${name}\\(`, 'm').test(readme)
    assert(isThere, `add ${name} to the table of the official SDK`)
  }
})

test('every command is there, and run by a test', () => {
  const makefile = readFileSync(path.join(ROOT, 'Makefile'), 'utf8')
  const targets = [...readme.matchAll(/`make ([\w-]+)/g)].map(([, target]) => target)
  assert(targets.length >= 4)
  for (const target of targets) assert.match(makefile, new RegExp(`^${target}:`, 'm'))
  const files = ['examples.test.mjs', 'next.test.mjs'].map((name) => path.join(import.meta.dirname, name))
  const tests = files.map((file) => readFileSync(file, 'utf8')).join('')
  const programs = [...readme.matchAll(/`node (?:--import tsx )?(\w+\.m(?:js|ts))`/g)].map(([, program]) => program)
  assert(programs.length >= 5)
  for (const program of programs) assert(tests.includes(`'${program}'`), `${program} is in no test`)
})

const PACKAGES = [
  ...[
    '@types',
    '@hono',
    '@nestjs',
    '@modelcontextprotocol',
    'connect',
    'express',
    'ws',
    'cors',
    'socket.io',
    'fastify',
  ],
  ...['koa', 'hono', 'reflect-metadata', 'rxjs', 'zod'],
]

test('each program is valid TypeScript, strictly, and so is what its users write', () => {
  assert(blocks.length >= 7)
  const folder = project(...PACKAGES)
  const own = path.join(folder, 'integrations.mts')
  cpSync(path.join(PACKAGE, 'test', 'programs', 'integrations.mts'), own)
  const programs = blocks.map((block, index) => {
    const file = path.join(folder, `readme-${index}.mts`)
    writeFileSync(file, block)
    return file
  })
  compile(
    folder,
    '--strict',
    '--skipLibCheck',
    '--experimentalDecorators',
    '--exactOptionalPropertyTypes',
    '--noUncheckedIndexedAccess',
    'false',
    own,
    ...programs,
  )
})

/** The program below this title, as it stands, but for its port. */
async function program(context, title, packages) {
  const [, block] = new RegExp(`^${title}.*?\`\`\`js\n(.*?)\`\`\``, 'ms').exec(readme)
  const file = path.join(project(...packages), 'app.mjs')
  const listen = "listen(0, '127.0.0.1', function () { console.log(`http://127.0.0.1:${this.address().port}`) })"
  const program = block
    .replace('listen(8000)', listen)
    .replace('await app.listen({ port: 8000 })', "console.log(await app.listen({ port: 0, host: '127.0.0.1' }))")
    .replace(
      'serve({ fetch: app.fetch, port: 8000 })',
      "serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => console.log(`http://127.0.0.1:${port}`))",
    )
  writeFileSync(file, program)
  const { port, log } = await run(context, file, { POMERIUM_JWT_ROUTE: 'https://app.example.com' })
  assert(port, log)
  return port
}

const UPGRADE = { Connection: 'Upgrade', Upgrade: 'websocket' }
const PREFLIGHT = { 'Access-Control-Request-Method': 'GET', Origin: 'https://other.example.com' }

for (const [title, packages, target] of [
  ['## Plain HTTP', [], '/'],
  ['## Fastify', ['fastify'], '/'],
  ['## Koa', ['koa'], '/'],
  ['## Hono', ['hono', '@hono'], '/'],
  ['## WebSocket', ['ws'], '/'],
  ['## MCP', ['express', '@modelcontextprotocol'], '/mcp'],
  ['\\*\\*Socket\\.IO', ['socket.io'], '/socket.io/?EIO=4&transport=polling'],
]) {
  test(`${title}: the program survives every request without a token`, async (context) => {
    const port = await program(context, title, packages)
    const isWebSocket = title === '## WebSocket'
    for (const [headers, method] of [
      [{}, 'GET'],
      [PREFLIGHT, 'OPTIONS'],
      [{ ...PREFLIGHT, ...UPGRADE }, 'OPTIONS'],
    ]) {
      const answer = await ask(port, target, isWebSocket ? { ...headers, ...UPGRADE } : headers, method).catch(
        () => ({}),
      )
      // Socket.IO hangs up on upgrades that it refuses
      if (headers.Upgrade && packages.includes('socket.io')) assert.equal(answer.status, undefined)
      else assert.deepEqual([answer.status, answer.body], [401, { error: 'token_missing' }])
    }
  })
}

test('the test of an application passes, and fails with the tokens of another issuer', () => {
  const folder = project('express')
  const [block] = blocks.filter((block) => block.includes("from 'node:test'"))
  const run = (text) => {
    writeFileSync(path.join(folder, 'app.test.mjs'), text)
    return spawnSync(process.execPath, ['--test'], { cwd: folder, env: environment({}), encoding: 'utf8' })
  }
  const { status, stdout, stderr } = run(block)
  assert.equal(status, 0, stdout + stderr)
  assert.notEqual(run(block.replace('issuer.headers(', 'new TestIssuer().headers(')).status, 0)
})

function compile(folder, ...options) {
  const tsc = [path.join(PACKAGE, 'node_modules', 'typescript', 'bin', 'tsc'), '--noEmit', '--module', 'nodenext']
  const command = [...tsc, '--target', 'es2022', '--types', 'node', ...options]
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: folder, encoding: 'utf8' })
  assert.equal(status, 0, stdout + stderr)
}
