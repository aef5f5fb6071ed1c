// usePomeriumUser in React 18 and 19: rendered on a server, hydrated, under StrictMode.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { after, before, test } from 'node:test'

import { PACKAGE } from '../../test/servers.mjs'
import { standIn } from './stand-in.mjs'
import { bundle, EXAMPLE, launch, newPage } from './world.mjs'

let browser

before(async () => (browser = await launch()))
after(() => browser?.close())

const APP = `
  import { StrictMode } from 'react'
  import { usePomeriumUser } from 'pomerium-jwt/react'

  function User() {
    const { user, error } = usePomeriumUser()
    const text = error ? 'failed' : user === undefined ? 'unknown' : (user?.email ?? 'nobody')
    globalThis.renders?.push(text)
    return <p>{text}</p>
  }

  const app = <StrictMode><User /><User /></StrictMode>`

for (const [version, modules] of [
  ['18', path.join(PACKAGE, 'node_modules')],
  ['19', path.join(EXAMPLE, 'node_modules')],
]) {
  const alias = Object.fromEntries(['react', 'react-dom'].map((name) => [name, path.join(modules, name)]))

  test(`React ${version}: the server says nothing of a user, the page asks once`, async (context) => {
    const onServer = `import { renderToString } from 'react-dom/server'; ${APP}; console.log(renderToString(app))`
    const { text } = await bundle(onServer, { platform: 'node', format: 'cjs', alias })
    const { stdout, stderr } = spawnSync(process.execPath, ['-'], { input: text, encoding: 'utf8' })
    const html = stdout.trim()
    assert.equal(html, '<p>unknown</p><p>unknown</p>', stderr)

    const world = await standIn(context)
    const page = await newPage(context, browser)
    const complaints = []
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(String(error)))
    const inPage = `import { hydrateRoot } from 'react-dom/client'; import { version } from 'react'; ${APP}
      globalThis.version = version
      globalThis.root = hydrateRoot(document.getElementById('root'), app)`
    const script = (await bundle(inPage, { format: 'iife', alias })).text
    await page.goto(world.url)
    await page.evaluate((html) => {
      globalThis.renders = []
      document.body.innerHTML = `<div id="root">${html}</div>`
    }, html)
    await page.addScriptTag({ content: script })
    await page.getByText('alice@example.com').first().waitFor()
    assert.equal(await page.evaluate(() => globalThis.version.split('.')[0]), version)
    const asked = () => world.asked.filter((request) => request.includes('/.pomerium/user')).length
    assert.equal(asked(), 1)

    const show = () => page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
    const count = () => page.evaluate(() => globalThis.renders.length)
    const rendered = await count()
    const answered = page.waitForResponse('**/.pomerium/user?*')
    await show()
    await (await answered).finished()
    await page.evaluate(() => fetch('/json'))
    assert.equal(await count(), rendered, 'the same answer renders nothing')

    // An answer from before the end of the session arrives after a later one
    let release
    const held = new Promise((resolve) => (release = resolve))
    await page.route(
      '**/.pomerium/user?*',
      async (route) => {
        const response = await route.fetch()
        release(() => route.fulfill({ response }))
      },
      { times: 1 },
    )
    await show()
    const late = await held
    world.isEnded = true
    await show()
    await page.getByText('nobody').first().waitFor()
    await late()
    world.isEnded = false
    await page.evaluate(() => fetch('/json'))
    assert.equal(await page.getByText('nobody').count(), 2)
    const renders = await page.evaluate(() => globalThis.renders)
    const states = renders.filter((text, index) => text !== renders[index - 1])
    assert.deepEqual(states, ['unknown', 'alice@example.com', 'nobody'])

    await page.evaluate(() => globalThis.root.unmount())
    const before = asked()
    await show()
    await page.evaluate(() => fetch('/json'))
    assert.equal(asked(), before, 'no component, no question')
    // Chromium reports each 401 by itself
    assert.deepEqual(
      complaints.filter((text) => !text.includes('401') && !text.includes('404')),
      [],
    )
  })
}
