// Waiting for keys: one fetch and one thread, however many wait, and a free event loop.

import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { pbkdf2 } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

import { Verifier, VerifyError } from 'pomerium-jwt'
import { TestIssuer } from 'pomerium-jwt/testing'

import { environment, Issuer } from './servers.mjs'

const PROGRAMS = path.join(import.meta.dirname, 'programs')

async function running(context) {
  const issuer = await Issuer.start()
  context.after(() => issuer.close())
  return issuer
}

test('answers before the event loop turns, if the keys are loaded', async () => {
  const issuer = new TestIssuer()
  const verifier = issuer.verifier()
  let turned = false
  setImmediate(() => (turned = true))
  assert.equal((await verifier.verify(issuer.token())).subject, 'alice')
  await assert.rejects(verifier.verify(issuer.expired()), VerifyError)
  assert.equal(turned, false)
})

test('a cold start is one fetch', async (context) => {
  const issuer = await running(context)
  const verifier = new Verifier({ route: issuer.url })
  const token = await issuer.mint()
  const identities = await Promise.all(Array.from({ length: 1000 }, () => verifier.verify(token)))
  assert.deepEqual([...new Set(identities.map((identity) => identity.subject))], ['alice'])
  assert.equal(await issuer.fetches(), 1)
})

test('verifySync does not wait, and starts the fetch', async (context) => {
  const issuer = await running(context)
  const verifier = new Verifier({ route: issuer.url })
  const token = await issuer.mint()
  const needed = { code: 'keys_needed', status: 503, reason: /await verify\(\)$/ }
  assert.throws(() => verifier.verifySync(token), needed)
  while (!verifier.health().keys_loaded) await sleep(10)
  assert.equal(verifier.verifySync(token).subject, 'alice')
  assert.equal(await issuer.fetches(), 1)
})

test('refresh warms up; forced, it fetches at once', async (context) => {
  const issuer = await running(context)
  const verifier = new Verifier({ route: issuer.url })
  await Promise.all([verifier.refresh(), verifier.refresh()])
  assert.equal(verifier.verifySync(await issuer.mint()).subject, 'alice')
  await verifier.refresh()
  assert.equal(await issuer.fetches(), 1, 'fresh keys are not fetched again')
  await sleep(1100) // forced, it fetches at most once a second
  await Promise.all([verifier.refresh({ force: true }), verifier.refresh({ force: true })])
  assert.equal(await issuer.fetches(), 2)
})

test('nobody joins a fetch that has ended, even if its waiters have not been told yet', async (context) => {
  const issuer = await running(context)
  const verifier = new Verifier({ route: issuer.url })
  const old = await issuer.mint()
  const waiting = verifier.verify(old)
  // From here to the next await the event loop stands still
  while (verifier.status().state === 'empty' || waitingThreads() > 0) pause(5)
  askNow(`${issuer.url}/rotate`, 'POST')
  const fresh = verifier.verify(askNow(`${issuer.url}/mint?sub=bob`, 'GET'))
  assert.equal((await waiting).subject, 'alice')
  assert.equal((await fresh).subject, 'bob')
  assert.equal(await issuer.fetches(), 2)
})

function pause(milliseconds) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}

/** The threads of this process that native/verifier.rs has started. */
function waitingThreads() {
  const names = readdirSync('/proc/self/task').map((id) => {
    try {
      return readFileSync(`/proc/self/task/${id}/comm`, 'utf8')
    } catch {
      return '' // it has ended
    }
  })
  return names.filter((name) => name.startsWith('pomerium-jwt')).length
}

/** A request by another process, while this one stands still. */
function askNow(url, method) {
  const text = `fetch('${url}', { method: '${method}' }).then((answer) => answer.text()).then(console.log)`
  return execFileSync(process.execPath, ['-e', text], { encoding: 'utf8' }).trim()
}

test('20,000 wait while the key server hangs', async (context) => {
  const issuer = await Issuer.start()
  await issuer.post('/fault?kind=hang')
  const verifier = new Verifier({ route: issuer.url, timeout: 60 })
  const token = await issuer.mint()
  const warnings = []
  process.on('warning', (warning) => warnings.push(warning))
  await busyPool() // from now on all threads of the pool exist
  const threads = nativeThreads()

  let settled = 0
  const count = () => settled++
  const controllers = Array.from({ length: 10_000 }, () => new AbortController())
  const cancelled = controllers.map(({ signal }) => verifier.verify(token, { signal }))
  // Copies with other request options wait for the same fetch
  const copy = verifier.with({ optional: true })
  const waiting = Array.from({ length: 10_000 }, (_, n) => (n % 2 ? verifier.verify(token) : copy.admit({ token })))
  for (const promise of [...cancelled, ...waiting]) promise.then(count, count)
  while ((await issuer.fetches()) === 0) await sleep(10)
  // The waiting thread, the core's fetch, its look-up of the name
  assert(nativeThreads() - threads <= 3, `${nativeThreads() - threads} more threads`)

  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  for (let turns = 0; turns < 100; turns++) await sleep(5)
  delay.disable()
  const milliseconds = (delay.percentile(99) / 1e6).toFixed(1)
  console.log(`event loop delay with 20,000 pending, 99th percentile: ${milliseconds} ms`)
  assert(delay.percentile(99) < 1e9, 'a loop that waits for the fetch would wait for 60 s')

  await busyPool()
  assert.equal(settled, 0, 'the fetch still hangs, so nobody may have an answer')

  const shared = new AbortController()
  const together = Array.from({ length: 100 }, () => verifier.verify(token, { signal: shared.signal }))
  await new Promise(setImmediate)
  shared.abort()
  assert((await Promise.allSettled(together)).every((outcome) => outcome.reason.name === 'AbortError'))

  const reason = new Error('the client has gone')
  for (const controller of controllers) controller.abort(reason)
  const outcomes = await Promise.allSettled(cancelled)
  assert(outcomes.every((outcome) => outcome.reason === reason))
  assert.equal(settled, 10_000, 'the others still wait')
  await assert.rejects(verifier.verify(token, { signal: controllers[0].signal }), reason)

  assert.equal(await issuer.fetches(), 1)
  await issuer.close() // ends the fetch
  const codes = new Set((await Promise.allSettled(waiting)).map((outcome) => outcome.reason.code))
  assert.deepEqual([...codes], ['keys_unavailable'])
  assert.deepEqual(warnings, [])
})

/** What needs libuv's threads: more of it than there are threads. */
async function busyPool() {
  const work = Array.from({ length: 8 }, () => promisify(pbkdf2)('password', 'salt', 1000, 32, 'sha256'))
  await Promise.all([...work, readFile(import.meta.filename)])
}

function nativeThreads() {
  return readdirSync('/proc/self/task').length
}

test('one who waits for keys holds the process', async (context) => {
  const issuer = await running(context)
  await issuer.post('/fault?kind=hang')
  const ended = await program('waits.mjs', { ISSUER: issuer.url, TOKEN: await issuer.mint(), TIMEOUT: '1' })
  assert.deepEqual(ended, { code: 0, signal: null, printed: 'keys_unavailable\n' })
})

test('a background refresh does not hold it', async (context) => {
  const issuer = await running(context)
  const start = performance.now()
  const ended = await program('leaves.mjs', { ISSUER: issuer.url, TOKEN: await issuer.mint(), TIMEOUT: '60' })
  assert.deepEqual(ended, { code: 0, signal: null, printed: 'aging alice\n' })
  assert(performance.now() - start < 30_000, 'held, it would have ended after 60 seconds')
})

test('process.exit while a fetch runs', async (context) => {
  const issuer = await running(context)
  await issuer.post('/fault?kind=hang')
  const ended = await program('exits.mjs', { ISSUER: issuer.url, TOKEN: await issuer.mint(), TIMEOUT: '60' })
  assert.deepEqual(ended, { code: 7, signal: null, printed: '' })
})

test('if no thread can be started', async (context) => {
  const issuer = await running(context)
  const folder = mkdtempSync(path.join(tmpdir(), 'pomerium-jwt-'))
  context.after(() => rmSync(folder, { recursive: true }))
  const library = path.join(folder, 'no-threads.so')
  execFileSync('cc', ['-shared', '-fPIC', '-o', library, path.join(PROGRAMS, 'no-threads.c'), '-ldl'])
  const variables = { ISSUER: issuer.url, TOKEN: await issuer.mint(), TIMEOUT: '60', LD_PRELOAD: library }
  const ended = await program('threadless.mjs', variables)
  assert.deepEqual(ended, { code: 0, signal: null, printed: 'keys_unavailable keys_unavailable alice\n' })
})

/** Runs one of programs/ to its end. */
async function program(name, variables) {
  const child = spawn(process.execPath, [path.join(PROGRAMS, name)], {
    env: environment(variables),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const closed = once(child, 'close')
  const printed = Buffer.concat(await child.stdout.toArray()).toString()
  const [code, signal] = await closed
  return { code, signal, printed }
}
