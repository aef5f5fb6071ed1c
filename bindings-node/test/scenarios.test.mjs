// The five scenarios of conformance/scenarios.md, step by step, at the same time.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { Verifier } from 'pomerium-jwt'

import { Issuer } from './servers.mjs'

const now = () => performance.now() / 1000

const made = (issuer, cacheTtl) =>
  new Verifier({ route: issuer.url, cacheTtl, timeout: 2, refetchCooldown: 1, maxStale: 60 })

async function accepted(verifier, token) {
  assert.equal((await verifier.verify(token)).subject, 'alice')
}

async function steadily(ended, call) {
  while (!ended()) {
    await call()
    await sleep(50)
  }
}

const at = (moment) => () => now() >= moment

async function untilFresh(verifier, call) {
  const start = now()
  await steadily(() => verifier.status().state === 'fresh' || now() > start + 10, call)
  assert.equal(verifier.status().state, 'fresh', 'within 10 seconds')
}

async function took(call) {
  const start = now()
  await call()
  return now() - start
}

async function outcome(verifier, token) {
  try {
    await accepted(verifier, token)
    return 'ok'
  } catch (error) {
    if (!['token', 'keys'].includes(error.kind)) throw error
    return error.code
  }
}

/** An issuer of the scenario's own, which ends with it. */
function scenario(title, steps) {
  test(title, async (context) => {
    const issuer = await Issuer.start()
    context.after(() => issuer.close())
    await steps(issuer)
  })
}

describe('scenarios', { concurrency: true }, () => {
  scenario('1. cold start under concurrency', async (issuer) => {
    const token = await issuer.mint()
    const verifier = made(issuer, 60)
    assert.equal(await issuer.fetches(), 0)
    await Promise.all(Array.from({ length: 16 }, () => accepted(verifier, token)))
    assert.equal(await issuer.fetches(), 1)
  })

  scenario('2. rotation under load', async (issuer) => {
    const verifier = made(issuer, 1)
    let stop = false
    const work = Array.from({ length: 4 }, async () => {
      const headers = new Set()
      let count = 0
      for (; !stop; await sleep(20)) {
        const token = await issuer.mint()
        await accepted(verifier, token)
        headers.add(token.split('.')[0])
        count++
      }
      return [count, headers.size]
    })
    const rotation = async () => {
      for (const [pause, step] of [
        [1, 'append'],
        [2, 'swap'],
        [2, 'drop'],
      ]) {
        await sleep(pause * 1000)
        await issuer.post(`/rotate?step=${step}`)
      }
      await sleep(2000)
    }
    const [workers] = await Promise.all([Promise.all(work), rotation().finally(() => (stop = true))])
    for (const [count, headers] of workers) {
      assert(count >= 20, `${count} tokens verified`)
      assert.equal(headers, 2, 'two kids were seen')
    }

    for (let rotations = 0; rotations < 2; rotations++) {
      await sleep(2000) // the pause for unknown kids, up to 1.5 times refetchCooldown
      await issuer.post('/rotate')
      await accepted(verifier, await issuer.mint())
    }
  })

  scenario('3. a withdrawn key', async (issuer) => {
    await issuer.post('/rotate?step=append')
    let token = await issuer.mint()
    const [busy, idle] = [made(issuer, 2), made(issuer, 2)]
    await accepted(busy, token)
    await accepted(idle, token)
    await issuer.post('/withdraw')
    const withdrawn = now()

    const seen = []
    const look = async () => seen.push([now(), await outcome(busy, token)])
    const idly = sleep(4100).then(() => outcome(idle, token))
    await steadily(at(withdrawn + 6), look)
    assert.equal(await idly, 'key_not_found')
    const late = seen.filter(([began]) => began >= withdrawn + 4)
    assert(
      late.every(([, code]) => code !== 'ok'),
      'accepted after 2 ttl',
    )
    const codes = seen.map(([, code]) => code)
    const refusals = codes.filter((code) => code !== 'ok')
    assert.deepEqual(codes.slice(-refusals.length), refusals, 'after the first refusal none is accepted')
    assert.deepEqual([...new Set(refusals)], ['key_not_found'])

    token = await issuer.mint()
    assert.deepEqual([await outcome(busy, token), await outcome(idle, token)], ['key_not_found', 'key_not_found'])
    await sleep(2000)
    await issuer.post('/rotate')
    token = await issuer.mint()
    await accepted(busy, token)
    await accepted(idle, token)
  })

  scenario('4. the key server hangs', async (issuer) => {
    const token = await issuer.mint()
    const [busy, idle] = [made(issuer, 5), made(issuer, 5)]
    await accepted(busy, token)
    await accepted(idle, token)
    await issuer.post('/fault?kind=hang')
    const fetches = await issuer.fetches()
    const times = []
    await steadily(at(now() + 11), async () => times.push(await took(() => accepted(busy, token))))
    assert(Math.max(...times) < 1, `nobody waits under steady traffic, and one waited ${Math.max(...times)} s`)
    assert((await issuer.fetches()) >= fetches + 2)
    const [first, second] = [await took(() => accepted(idle, token)), await took(() => accepted(idle, token))]
    assert(first >= 1 && first < 4, `the idle one waits for one fetch, and waited ${first} s`)
    assert(second < 1, `then it does not wait, and waited ${second} s`)
    await issuer.post('/fault?kind=none')
    await untilFresh(busy, () => accepted(busy, token))
  })

  scenario('5. an outage shorter than maxStale', async (issuer) => {
    const token = await issuer.mint()
    const [busy, idle] = [made(issuer, 2), made(issuer, 2)]
    await accepted(busy, token)
    await accepted(idle, token)
    await issuer.post('/fault?kind=reset')
    await steadily(at(now() + 7), () => accepted(busy, token))
    await accepted(idle, token)
    assert(busy.status().lastError && idle.status().lastError)
    await issuer.post('/rotate')
    await issuer.post('/fault?kind=none')
    await untilFresh(busy, () => outcome(busy, token))
    await sleep(1100)
    await accepted(busy, await issuer.mint())
  })
})
