// Worker threads: each with a verifier of its own, ended at any moment, the addon loaded and unloaded.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'

import { TestIssuer } from 'pomerium-jwt/testing'

import { environment, Issuer } from './servers.mjs'

const PROGRAMS = path.join(import.meta.dirname, 'programs')

test('sixteen workers verify and refuse at the same time', async () => {
  const issuer = new TestIssuer()
  const work = Array.from({ length: 16 }, async (_, number) => {
    const sub = `user-${number}`
    const workerData = { options: issuer.options, subject: sub, token: issuer.token({ sub }) }
    const worker = new Worker(path.join(PROGRAMS, 'worker.mjs'), { workerData })
    const [[counts]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')])
    return counts
  })
  for (const counts of await Promise.all(work)) {
    assert.deepEqual([counts.ok, counts.signature_invalid, counts.internal], [200, 200, 0])
  }
})

test('workers that end while a fetch runs, in a process that has nothing else of the addon', async (context) => {
  const issuer = await Issuer.start()
  context.after(() => issuer.close())
  const variables = { ISSUER: issuer.url, TOKEN: await issuer.mint(), JWKS: await issuer.keySet() }
  await issuer.post('/fault?kind=hang')
  const child = spawn(process.execPath, [path.join(PROGRAMS, 'unloads.mjs')], {
    env: environment(variables),
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  // An addon that was unmapped under its thread would end the process by a signal
  assert.deepEqual(await once(child, 'close'), [0, null])
  assert((await issuer.fetches()) >= 6)
})
