// The real servers that tests run against, and what is asked of them.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { createServer, request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { mock } from 'node:test'

export const PACKAGE = path.resolve(import.meta.dirname, '..')
export const ROOT = path.resolve(PACKAGE, '..')
export const TARGET = process.env.CARGO_TARGET_DIR ?? path.join(ROOT, 'target')
export const HEADER = 'X-Pomerium-Jwt-Assertion'

// What each protected server says when it starts would hide what the test runner says
mock.method(console, 'warn', () => {})

/** A running `pomerium-jwt issuer`, as conformance/scenarios.md describes it. */
export class Issuer {
  static async start() {
    const issuer = new Issuer()
    const command = path.join(TARGET, 'debug', 'pomerium-jwt')
    issuer.process = spawn(command, ['issuer', '--until-stdin-closes'], { stdio: ['pipe', 'pipe', 'ignore'] })
    const [line] = await once(createInterface(issuer.process.stdout), 'line')
    issuer.url = line.split(' ')[1]
    return issuer
  }

  async close() {
    this.process.stdin.end()
    await once(this.process, 'exit')
  }

  mint(claims = {}) {
    return this.#ask('GET', `/mint?${new URLSearchParams({ sub: 'alice', ...claims })}`)
  }

  post(address) {
    return this.#ask('POST', address)
  }

  keySet() {
    return this.#ask('GET', '/.well-known/pomerium/jwks.json')
  }

  async fetches() {
    return JSON.parse(await this.#ask('GET', '/stats')).fetches
  }

  async #ask(method, address) {
    const response = await fetch(this.url + address, { method })
    if (!response.ok) throw new Error(`${method} ${address}: ${response.status} ${await response.text()}`)
    return response.text()
  }
}

/** Listens on a free port until the test ends, and gives the port. */
export async function listen(context, listener, options = {}) {
  const server = createServer(options, listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return server.address().port
}

/** Status, headers and body, which is parsed if it is JSON. A list of values is sent as as many headers. */
export async function ask(port, target, headers = {}, method = 'GET') {
  const request = httpRequest({ port, path: target, method, headers, host: '127.0.0.1', agent: false })
  const [response] = await once(request.end(), 'response')
  const text = Buffer.concat(await response.toArray()).toString()
  const json = response.headers['content-type']?.startsWith('application/json') && text !== ''
  return { status: response.statusCode, headers: response.headers, body: json ? JSON.parse(text) : text }
}

/** An empty project in which this package and some of its development dependencies are installed; gone when all ends. */
export function project(...packages) {
  const folder = mkdtempSync(path.join(tmpdir(), 'pomerium-jwt-'))
  process.once('exit', () => rmSync(folder, { recursive: true }))
  const modules = path.join(folder, 'node_modules')
  mkdirSync(modules)
  symlinkSync(PACKAGE, path.join(modules, 'pomerium-jwt'))
  for (const name of packages) symlinkSync(path.join(PACKAGE, 'node_modules', name), path.join(modules, name))
  return folder
}

/** The environment of a program, in which nothing of ours is set but this. */
export function environment(variables) {
  // Without what tells a node:test that it is a child of this one
  const ours = /^(POMERIUM_JWT_|NODE_TEST_CONTEXT$)/
  return { ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name))), ...variables }
}

/** A program in a process of its own that prints its address when it listens; ends with the test. */
export async function run(context, file, variables) {
  const isTypeScript = file.endsWith('.mts')
  const child = spawn(process.execPath, [...(isTypeScript ? ['--import', 'tsx'] : []), file], {
    // Where tsx finds its settings
    cwd: isTypeScript ? path.dirname(file) : undefined,
    env: environment({ PORT: '0', ...variables }),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  context.after(() => child.kill())
  const server = { port: undefined, log: '', output: '', exit: once(child, 'close').then(([code]) => code) }
  const listening = new Promise((resolve) => {
    const collect = (chunk) => {
      server.log += chunk
      const [, port] = /^http:\/\/127\.0\.0\.1:(\d+)$/m.exec(server.log) ?? []
      if (port) resolve((server.port = Number(port)))
    }
    child.stdout.on('data', (chunk) => {
      server.output += chunk
      collect(chunk)
    })
    child.stderr.on('data', collect)
  })
  await Promise.race([listening, server.exit])
  return server
}
