// What the tests of the browser half run: Chromium, `pomerium-jwt dev` in front of an application, bundles of esbuild.

import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import path from 'node:path'
import { createInterface } from 'node:readline'

import { build } from 'esbuild'
import { chromium } from 'playwright-core'

import { environment, PACKAGE, ROOT, TARGET } from '../../test/servers.mjs'

export const EXAMPLE = path.join(ROOT, 'examples', 'react')

/** Debian's Chromium, which keeps pages for the back button as it does for users. */
export function launch() {
  return chromium.launch({
    executablePath: execFileSync('sh', ['-c', 'command -v chromium'], { encoding: 'utf8' }).trim(),
    // root has no sandbox
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  })
}

/** A page of a new profile, which ends with the test. */
export async function newPage(context, browser) {
  const profile = await browser.newContext()
  context.after(() => profile.close())
  return profile.newPage()
}

/** A process that ends with the test, once it has printed a line like this; gives what the pattern finds. */
export async function start(context, command, args, variables, pattern) {
  const child = spawn(command, args, { env: environment(variables), stdio: ['ignore', 'pipe', 'pipe'] })
  context.after(async () => {
    const exit = once(child, 'exit')
    if (child.kill()) await exit
  })
  let log = ''
  child.stderr.on('data', (chunk) => (log += chunk))
  for await (const line of createInterface(child.stdout)) {
    const found = pattern.exec(line)
    if (found) return found
  }
  assert.fail(`${command} ${args.join(' ')} ended:\n${log}`)
}

/** `pomerium-jwt dev` in front of this port; gives its address. */
export async function dev(context, upstream, ...options) {
  const args = ['dev', '--upstream', `http://127.0.0.1:${upstream}`, '--listen', '127.0.0.1:0', ...options]
  const [, url] = await start(context, path.join(TARGET, 'debug', 'pomerium-jwt'), args, {}, /ROUTE=(http:.*)/)
  return url
}

const USERS = path.join(import.meta.dirname, 'users.json')

/** examples/react behind `dev`; gives the address. The server has to know the address before there is one. */
export async function example(context) {
  const port = await freePort()
  const route = `http://localhost:${port}`
  const server = path.join(EXAMPLE, 'server.mjs')
  const variables = { PORT: '0', POMERIUM_JWT_ROUTE: route }
  const [, upstream] = await start(context, process.execPath, [server], variables, /^http:\/\/127\.0\.0\.1:(\d+)$/)
  const options = ['--listen', `127.0.0.1:${port}`, '--users', USERS, '--user', 'alice@example.com']
  const args = ['dev', '--upstream', `http://127.0.0.1:${upstream}`, ...options]
  await start(context, path.join(TARGET, 'debug', 'pomerium-jwt'), args, {}, /ROUTE=/)
  return route
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** What esbuild makes of a program: its text, and the files that went into it. */
export async function bundle(contents, options = {}) {
  const result = await build({
    stdin: { contents, resolveDir: PACKAGE, loader: 'jsx' },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    jsx: 'automatic',
    metafile: true,
    write: false,
    logLevel: 'silent',
    define: { 'process.env.NODE_ENV': '"development"' },
    ...options,
  })
  return { text: result.outputFiles[0].text, inputs: Object.keys(result.metafile.inputs) }
}
