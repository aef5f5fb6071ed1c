// pomerium-jwt/js-sdk/browser: the official page's program with another import, and what its verifier refuses.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'

import { Issuer, listen } from '../../test/servers.mjs'
import { bundle, dev, launch, newPage } from './world.mjs'

let browser

before(async () => (browser = await launch()))
after(() => browser?.close())

/** A page that runs this program, behind `dev`, and what it logs. */
async function open(context, program, ...options) {
  const { text } = await bundle(program)
  const upstream = await listen(context, (request, response) => {
    const isScript = request.url === '/script.js'
    response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html')
    response.end(
      isScript ? text : '<!doctype html><div id="root"></div><script type="module" src="/script.js"></script>',
    )
  })
  const url = await dev(context, upstream, '--user', 'alice@example.com', '--groups', 'admins', ...options)
  const page = await newPage(context, browser)
  page.logged = page.waitForEvent('console', (message) => message.type() === 'log').then((message) => message.text())
  page.logged.catch(() => {})
  await page.goto(url)
  return page
}

function officialPage() {
  const file = path.join(import.meta.dirname, 'official-page.jsx')
  const text = readFileSync(file, 'utf8').replace('@pomerium/js-sdk', 'pomerium-jwt/js-sdk/browser')
  const mount = `import { createRoot } from 'react-dom/client'; createRoot(document.getElementById('root')).render(<App />)`
  return text.replace('export default App', mount)
}

test('the official React page works if /.pomerium/jwt is on', async (context) => {
  const page = await open(context, officialPage(), '--jwt-endpoint')
  await page.getByText('alice@example.com').waitFor()
  const { payload, protectedHeader } = JSON.parse(await page.locator('pre').textContent())
  assert.deepEqual([payload.aud, payload.groups, protectedHeader.alg], ['localhost', ['admins'], 'ES256'])
  await page.getByRole('button', { name: 'Sign Out Test' }).click()
  await page.getByText('Nobody is signed in').waitFor()
})

test('where it is off, as by default, the error names getUser', async (context) => {
  const page = await open(context, officialPage())
  assert.match(await page.logged, /since 0\.27 \/\.pomerium\/jwt is off.*getUser\(\) of pomerium-jwt\/browser/)
  assert.equal(await page.locator('pre').textContent(), '""')
})

const PROGRAM = `import * as sdk from 'pomerium-jwt/js-sdk/browser'; globalThis.sdk = sdk`

test('getBrowserUser is what Pomerium says; nobody is an error', async (context) => {
  const page = await open(context, PROGRAM, '--jwt-endpoint')
  const user = await page.evaluate(() => globalThis.sdk.getBrowserUser())
  assert.deepEqual([user.email, user.groups], ['alice@example.com', ['admins']])
  await page.evaluate(() => fetch('/.pomerium/sign_out'))
  for (const name of ['getBrowserUser', 'getClientJwt']) {
    const message = await page.evaluate((name) => globalThis.sdk[name]().catch((error) => error.message), name)
    assert.equal(message, 'Nobody is signed in', name)
  }
})

test('what the verifier takes and refuses', async (context) => {
  const issuer = await Issuer.start()
  context.after(() => issuer.close())
  const page = await open(context, PROGRAM)
  const host = '127.0.0.1'
  const config = { issuer: host, audience: host, jwksUrl: `${issuer.url}/.well-known/pomerium/jwks.json` }
  const verify = (token, more) =>
    page.evaluate(
      async ([config, token]) => {
        const verifier = new globalThis.sdk.PomeriumVerifier(config)
        const result = await verifier.verifyJwt(token).catch((error) => error.message)
        return [result.payload?.sub ?? result, verifier.issuer, verifier.audience.join(), verifier.isLoggedIn()]
      },
      [{ ...config, ...more }, token],
    )
  const good = await issuer.mint({ email: 'alice@example.com' })
  assert.deepEqual(await verify(good, {}), ['alice', host, host, true])
  assert.deepEqual(
    await verify(good, { issuer: '' }),
    ['alice', host, host, true],
    'the issuer of the first that verifies',
  )
  const [expired] = await verify(await issuer.mint({ expires_in: -90 }), {})
  const [lenient] = await verify(await issuer.mint({ expires_in: -90 }), { expirationBuffer: 1000 })
  const [early] = await verify(await issuer.mint({ expires_in: 90 }), { expirationBuffer: -120 })
  assert.deepEqual([expired, lenient, early], ['The jwt is expired!', 'alice', 'The jwt is expired!'])
  const [wrongIssuer, kept] = await verify(good, { issuer: 'app.example.com' })
  assert.deepEqual(
    [wrongIssuer, kept],
    ['JWT was not issued by the correct authority: app.example.com', 'app.example.com'],
  )
  const [wrongAudience] = await verify(good, { audience: ['a', 'b'] })
  assert.equal(wrongAudience, 'The audience did not match expected value(s): a, b')
  const [otherPage] = await verify(good, { audience: '' })
  assert.equal(otherPage, 'The audience did not match expected value(s): localhost', 'the host of the page')
  const [, none] = await verify(`${good.trim().slice(0, -8)}AAAAAAAA`, { issuer: '' })
  assert.equal(none, '', 'what does not verify sets nothing')
  for (const expirationBuffer of [1.5, 1e6, NaN, '20']) {
    const thrown = page.evaluate((it) => {
      try {
        return new globalThis.sdk.PomeriumVerifier({ expirationBuffer: it })
      } catch (error) {
        return error.name
      }
    }, expirationBuffer)
    assert.equal(await thrown, 'TypeError', `${expirationBuffer}`)
  }
})
