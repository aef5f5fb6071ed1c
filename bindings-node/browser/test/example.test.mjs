// examples/react, built by Vite, behind `pomerium-jwt dev`, in Chromium.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'

import { TARGET } from '../../test/servers.mjs'
import { example, EXAMPLE, launch, newPage } from './world.mjs'

const SCREENSHOTS = path.join(TARGET, 'screenshots')

let browser

before(async () => {
  execFileSync(process.execPath, [path.join(EXAMPLE, 'node_modules/vite/bin/vite.js'), 'build'], { cwd: EXAMPLE })
  mkdirSync(SCREENSHOTS, { recursive: true })
  browser = await launch()
})

after(() => browser?.close())

/** A page of the example, signed in as this user, or as the first. */
async function open(context, user) {
  const url = await example(context)
  const page = await newPage(context, browser)
  page.complaints = []
  page.on('console', (message) => message.type() === 'error' && page.complaints.push(message.text()))
  page.on('pageerror', (error) => page.complaints.push(error.message))
  if (user) await signIn(page, url, user)
  await page.goto(url)
  return { url, page }
}

async function signIn(page, url, user) {
  await page.goto(`${url}/.pomerium/`)
  await page.getByRole('button', { name: user }).click()
}

/** What a browser does when its window is shown again, which a headless one never hides. */
function showAgain(page) {
  return page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
}

test('a user of the group sees the page for it, and the server answers', async (context) => {
  const { page } = await open(context)
  await page.getByRole('heading', { name: 'Hello Alice' }).waitFor()
  await page.getByRole('button', { name: 'Load the report' }).click()
  await page.getByText('All is well, alice@example.com.').waitFor()
  await page.screenshot({ path: path.join(SCREENSHOTS, 'react-signed-in.png') })
  assert.deepEqual(page.complaints, [])
})

test('another user does not see it, and the server refuses them, which is not the end of a session', async (context) => {
  const { page } = await open(context, 'bob@example.com')
  await page.getByRole('heading', { name: 'Hello bob@example.com' }).waitFor()
  assert.equal(await page.getByRole('button', { name: 'Load the report' }).count(), 0)
  assert.equal(await page.evaluate(async () => (await fetch('/api/report')).status), 403)
})

test('in two tabs: signing out in one is noticed by the other, in its next request and when it is shown', async (context) => {
  const { page, url } = await open(context)
  await page.getByRole('heading', { name: 'Hello Alice' }).waitFor()
  const other = await page.context().newPage()
  await other.goto(url)
  await other.getByRole('button', { name: 'Sign out' }).click()
  await other.getByText('Nobody is signed in').waitFor()

  await page.getByRole('button', { name: 'Load the report' }).click()
  await page.getByText('Your session has ended.').waitFor()
  await page.screenshot({ path: path.join(SCREENSHOTS, 'react-session-ended.png') })
  await showAgain(page)
  await page.getByText('You are signed out.').waitFor()

  await page.getByRole('button', { name: 'Sign in again' }).click()
  await page.getByRole('button', { name: 'Alice' }).click()
  await page.getByRole('heading', { name: 'Hello Alice' }).waitFor()
  // A switch of users is noticed as well
  await signIn(other, url, 'bob@example.com')
  await showAgain(page)
  await page.getByRole('heading', { name: 'Hello bob@example.com' }).waitFor()
})

test('after signing out, the back button does not bring back the user', async (context) => {
  const { page } = await open(context)
  await page.getByRole('heading', { name: 'Hello Alice' }).waitFor()
  await page.evaluate(() => (window.isKept = true))
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByText('Nobody is signed in').waitFor()
  await page.goBack({ waitUntil: 'commit' })
  await page.getByText('You are signed out.').waitFor()
  assert.equal(await page.evaluate(() => window.isKept), true, 'Chromium loaded the page again: nothing is tested')
})

test('on a slow network nothing is claimed before Pomerium has answered', async (context) => {
  const { page, url } = await open(context)
  let release
  const released = new Promise((resolve) => (release = resolve))
  await page.route('**/.pomerium/user*', async (route) => {
    await released
    await route.continue()
  })
  await page.addInitScript(() => {
    window.texts = []
    new MutationObserver(() => window.texts.push(document.body?.innerText.trim())).observe(document, {
      childList: true,
      subtree: true,
    })
  })
  await page.goto(url)
  await page.getByText('Loading').waitFor()
  release()
  await page.getByRole('heading', { name: 'Hello Alice' }).waitFor()
  const texts = await page.evaluate(() => [...new Set(window.texts.map((text) => text?.split('\n')[0]))])
  assert.deepEqual(texts.filter(Boolean), ['Loading', 'Hello Alice'])
})

test('without a network it says so, and recovers', async (context) => {
  const { page, url } = await open(context)
  await page.route('**/.pomerium/user*', (route) => route.abort())
  await page.goto(url)
  await page.getByText('Pomerium does not answer.').waitFor()
  await page.unroute('**/.pomerium/user*')
  await showAgain(page)
  await page.getByRole('heading', { name: 'Hello Alice' }).waitFor()
})

test('if signing in does not help, it does not reload for ever', async (context) => {
  const { page } = await open(context)
  await page.route('**/.pomerium/user*', (route) => route.fulfill({ status: 401, json: { error: 'Unauthenticated' } }))
  await page.reload()
  await page.getByRole('button', { name: 'Sign in again' }).click()
  await page.waitForLoadState('load')
  const again = page.getByRole('button', { name: 'Sign in again' })
  await again.waitFor()
  await again.click()
  await page.getByRole('alert').filter({ hasText: 'Signing in did not help' }).waitFor()
})
