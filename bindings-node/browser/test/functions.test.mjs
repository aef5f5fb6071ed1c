// Each function of pomerium-jwt/browser, in a page of Chromium in front of every answer that Pomerium and applications give.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { standIn } from './stand-in.mjs'
import { bundle, launch, newPage } from './world.mjs'

let browser, script

before(async () => {
  browser = await launch()
  const program = `import * as all from 'pomerium-jwt/browser'; globalThis.pomerium = all`
  script = (await bundle(program, { format: 'iife' })).text
})

after(() => browser?.close())

async function open(context, path = '/') {
  const world = await standIn(context)
  const page = await newPage(context, browser)
  await page.addInitScript(script)
  await page.goto(world.url + path)
  return { world, page }
}

/** What pomeriumFetch does: a status, or the name of what it throws. */
function outcome(page, path, init) {
  return page.evaluate(
    ([path, init]) =>
      globalThis.pomerium.pomeriumFetch(path, init).then(
        async (response) => (response.ok && (await response.text()), response.status),
        (error) => error.name,
      ),
    [path, init],
  )
}

function asked(world) {
  return world.asked.filter((request) => request !== 'GET /favicon.ico')
}

const ASKS_FOR_JSON = { headers: { Accept: 'application/json' } }
const LIKE_AXIOS = { headers: { Accept: 'application/json, text/plain, */*' } }
const ENDED = 'SessionEndedError'

test('pomeriumFetch tells the end of a session from all else', async (context) => {
  const { world, page } = await open(context)
  for (const [path, init, during, ended] of [
    ['/json', {}, 200, ENDED],
    ['/json', ASKS_FOR_JSON, 200, ENDED],
    ['/json', LIKE_AXIOS, 200, ENDED],
    ['/json', { method: 'POST', body: 'x' }, 200, ENDED],
    ['/json', { redirect: 'manual' }, 200, ENDED],
    ['/json', { redirect: 'error' }, 200, ENDED],
    ['/html-401', {}, 200, ENDED],
    ['/html', {}, 200, ENDED],
    ['/html', ASKS_FOR_JSON, 200, ENDED],
    ['/own-401', ASKS_FOR_JSON, 401, ENDED],
    ['/own-403', ASKS_FOR_JSON, 403, ENDED],
    ['/own-html-401', {}, 401, ENDED],
    ['/moved', {}, 200, ENDED],
    ['/moved', { redirect: 'manual' }, 0, ENDED],
    ['/elsewhere', {}, 'TypeError', ENDED],
  ]) {
    world.isEnded = false
    const what = `${init.method ?? 'GET'} ${path} ${JSON.stringify(init)}`
    assert.equal(await outcome(page, path, init), during, `${what} during the session`)
    world.isEnded = true
    assert.equal(await outcome(page, path, init), ended, `${what} after it`)
  }
})

test("on a public route, where nobody is signed in, the application's own answers are its own", async (context) => {
  const { world, page } = await open(context)
  world.isPublic = true
  assert.equal(await page.evaluate(() => globalThis.pomerium.getUser()), null)
  for (const [path, status] of [
    ['/json', 200],
    ['/own-401', 401],
    ['/own-403', 403],
  ]) {
    assert.equal(await outcome(page, path, ASKS_FOR_JSON), status, path)
  }
})

test('nothing is sent twice, and an aborted request is aborted', async (context) => {
  const { world, page } = await open(context)
  world.isEnded = true
  world.asked.length = 0
  assert.equal(await outcome(page, '/json', { method: 'POST', body: 'x' }), ENDED)
  assert.deepEqual(asked(world), ['POST /json', 'GET /.pomerium/user'])
  const aborted = page.evaluate(() =>
    globalThis.pomerium.pomeriumFetch('/json', { signal: AbortSignal.abort() }).catch((error) => error.name),
  )
  assert.equal(await aborted, 'AbortError')
})

test('other origins are none of its business', async (context) => {
  const { world, page } = await open(context)
  const other = await standIn(context)
  world.isEnded = true
  world.asked.length = 0
  assert.equal(await outcome(page, `${other.url}/json`, {}), 'TypeError')
  assert.deepEqual(asked(world), [])
})

test('getUser repairs what Pomerium says, whatever the base of the page is', async (context) => {
  const { world, page } = await open(context, '/based')
  const user = () => page.evaluate(() => globalThis.pomerium.getUser().catch((error) => error.message))
  const { claims, ...rest } = await user()
  assert.deepEqual(rest, { subject: 'alice', email: 'alice@example.com', name: null, groups: ['admins', 'staff'] })
  assert.equal(claims.level, '3')
  const json = { 'Content-Type': 'application/json' }
  for (const [answer, expected] of [
    [[200, json, '{"sub":"a","groups":null}'], []],
    [[200, json, '{"user":"a","groups":"admins"}'], []],
  ]) {
    world.user = answer
    assert.deepEqual((await user()).groups, expected)
  }
  for (const answer of [
    [200, { 'Content-Type': 'text/html' }, '<p>the page, as a server without Pomerium answers every path'],
    [200, json, 'null'],
    [404, {}, ''],
    [500, json, '{"sub":"a"}'],
  ]) {
    world.user = answer
    assert.match(await user(), /is Pomerium in front\?/, JSON.stringify(answer))
  }
  world.isEnded = true
  assert.equal(await user(), null)
})

test('a service worker that answers from its store fools nobody', async (context) => {
  const { world, page } = await open(context)
  await page.evaluate(async () => {
    await navigator.serviceWorker.register('/worker.js')
    if (!navigator.serviceWorker.controller) {
      await new Promise((resolve) => navigator.serviceWorker.addEventListener('controllerchange', resolve))
    }
    await fetch('/')
    await globalThis.pomerium.getUser()
  })
  world.isEnded = true
  assert.equal(await page.evaluate(() => globalThis.pomerium.getUser()), null)
  assert.equal(
    await page.evaluate(() => fetch('/unknown', { headers: { Accept: 'application/json' } }).then((r) => r.text())),
    '<!doctype html><title>page</title>',
  )
  assert.equal(await outcome(page, '/unknown', ASKS_FOR_JSON), ENDED)
})

test('why an event stream or a WebSocket has ended', async (context) => {
  const { world, page } = await open(context)
  for (const [kind, close] of [
    [() => new EventSource('/events'), () => world.streams.forEach((stream) => stream.destroy())],
    [() => new WebSocket('/socket'), () => world.sockets.forEach((socket) => socket.terminate())],
  ]) {
    for (const isEnded of [false, true]) {
      world.isEnded = false
      await page.evaluate(async (open) => {
        const source = new Function(`return (${open})()`)()
        await new Promise((resolve) => (source.onopen = resolve))
        window.said = new Promise((resolve) => {
          source.onclose = source.onerror = async () => {
            source.onclose = source.onerror = null
            source.close()
            resolve(await globalThis.pomerium.isSessionEnded())
          }
        })
      }, String(kind))
      world.isEnded = isEnded
      close()
      assert.equal(await page.evaluate(() => window.said), isEnded, `${kind}`)
    }
  }
})

test('signOut leads to paths of this origin and to URLs that are written in code', async (context) => {
  const { world, page } = await open(context)
  for (const [returnTo, expected] of [
    [undefined, ''],
    ['', ''],
    ['/bye?a=1&b=ü', `${world.url}/bye?a=1&b=%C3%BC`],
    ['https://www.example.com/bye', 'https://www.example.com/bye'],
  ]) {
    await page.goto(world.url)
    await page.evaluate((returnTo) => globalThis.pomerium.signOut(returnTo), returnTo)
    await page.waitForURL('**/.pomerium/sign_out**')
    const query = expected && `?pomerium_redirect_uri=${encodeURIComponent(expected)}`
    assert.equal(page.url(), `${world.url}/.pomerium/sign_out${query}`)
  }
  await page.goto(world.url)
  for (const hostile of [
    '//evil.example.com',
    '/\\evil.example.com',
    '\t//evil.example.com',
    'javascript:alert(1)',
    'data:,x',
  ]) {
    const thrown = page.evaluate((it) => {
      try {
        globalThis.pomerium.signOut(it)
      } catch (error) {
        return error.name
      }
    }, hostile)
    assert.equal(await thrown, 'TypeError', hostile)
  }
})

test('signInAgain reloads once in ten seconds, and never if storage is blocked', async (context) => {
  const { page } = await open(context)
  await page.clock.install()
  const again = () => page.evaluate(() => globalThis.pomerium.signInAgain())
  const reloads = async (expected) => {
    const loaded = expected ? page.waitForEvent('load') : undefined
    assert.equal(await again(), expected)
    await loaded
  }
  await reloads(true)
  await reloads(false)
  await page.clock.fastForward(9_000)
  await reloads(false)
  await page.clock.fastForward(2_000)
  await reloads(true)

  // A sandboxed frame has no storage
  await page.evaluate((script) => {
    window.answer = new Promise((resolve) => addEventListener('message', ({ data }) => resolve(data), { once: true }))
    const frame = document.createElement('iframe')
    frame.sandbox = 'allow-scripts'
    frame.srcdoc = `<script>${script};parent.postMessage(pomerium.signInAgain(), '*')<\/script>`
    document.body.append(frame)
  }, script)
  assert.equal(await page.evaluate(() => window.answer), false)
})
