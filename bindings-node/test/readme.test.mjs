// The README: what it quotes is what is there, its programs compile, its tables are complete.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'

import * as officialInterface from 'pomerium-jwt/js-sdk'

import { ask, environment, PACKAGE, project, ROOT, run } from './servers.mjs'

const readme = readFileSync(path.join(PACKAGE, 'README.md'), 'utf8')
const blocks = [...readme.matchAll(/```js\n(.*?)```/gs)].map(([, block]) => block)

test('examples are quoted as they are', () => {
  const quoted = [...readme.matchAll(/<!-- file: (\S+) -->\n```js\n(.*?)```/gs)]
  assert.deepEqual(
    quoted.map(([, file]) => file),
    ['examples/node/app.mjs'],
  )
  for (const [, file, text] of quoted) {
    const copy = `copy ${file} into bindings-node/README.md again`
    assert.equal(text, readFileSync(path.join(ROOT, file), 'utf8'), copy)
  }
})

test('every code is there with its status and kind', () => {
  for (const { code, status, kind } of JSON.parse(readFileSync(path.join(ROOT, 'conformance', 'codes.json'), 'utf8'))) {
    const row = `| \`${code}\` | ${status} | \`${kind}\` | `
    assert(readme.includes(`\n${row}`), `add to the table of errors: ${row}... |`)
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

test('the programs compile, and so does what TypeScript users write', () => {
  assert(blocks.length >= 6)
  const folder = project('@types', 'express', 'ws')
  const strict = path.join(folder, 'integrations.mts')
  cpSync(path.join(PACKAGE, 'test', 'programs', 'integrations.mts'), strict)
  const programs = blocks.map((block, index) => {
    const file = path.join(folder, `readme-${index}.mts`)
    // The compiler does not know that it listens on no pipe
    writeFileSync(file, block.replaceAll('server.address().port', '8000'))
    return file
  })
  compile(folder, '--strict', '--exactOptionalPropertyTypes', strict)
  // JavaScript: what may be undefined is none of the compiler's business, names and types of options are
  compile(folder, '--strict', 'false', ...programs)
})

for (const title of ['Plain HTTP', 'WebSocket']) {
  test(`${title}: the program goes on, whatever a client without a token sends`, async (context) => {
    const [, block] = new RegExp(`^## ${title}\n.*?\`\`\`js\n(.*?)\`\`\``, 'ms').exec(readme)
    const file = path.join(project('ws'), 'app.mjs')
    const listen = "listen(0, '127.0.0.1', function () { console.log(`http://127.0.0.1:${this.address().port}`) })"
    writeFileSync(file, block.replace('listen(8000)', listen))
    const { port, log } = await run(context, file, {})
    assert(port, log)
    const upgrade = { Connection: 'Upgrade', Upgrade: 'websocket' }
    const preflight = { 'Access-Control-Request-Method': 'GET' }
    const answer = await ask(port, '/', title === 'WebSocket' ? { ...preflight, ...upgrade } : preflight, 'OPTIONS')
    assert.equal(answer.status, title === 'WebSocket' ? 401 : 200)
    if (title === 'Plain HTTP') assert.deepEqual((await ask(port, '/')).body, { error: 'token_missing' })
    else assert.deepEqual((await ask(port, '/', upgrade)).body, { error: 'token_missing' })
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
