// Screenshots of the page's states, light, dark and on a phone, and what axe-core finds wrong with them.
//
// usage: node shots.mjs POMERIUM_JWT CHROMIUM FOLDER
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import puppeteer from 'puppeteer-core'

const [command, chromium, folder] = process.argv.slice(2)
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const processes = []

async function start(args, env = {}) {
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'ignore'] })
  processes.push(child)
  const [line] = await once(createInterface(child.stdout), 'line')
  return line.split(' ').at(-1)
}

const serve = (env) => start(['serve', '--listen', '127.0.0.1:0'], env)

async function shoot(browser, name, url, headers) {
  const looks = [['light', 1100], ['dark', 1100], ['phone', 390]]
  for (const [look, width] of looks) {
    const page = await browser.newPage()
    await page.setViewport({ width, height: 800 })
    await page.setBypassCSP(true) // for axe alone
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: look === 'dark' ? 'dark' : 'light' }])
    await page.setJavaScriptEnabled(false)
    await page.setExtraHTTPHeaders(headers)
    await page.goto(url)
    const file = `${folder}/${name}-${look}.png`
    await page.screenshot({ path: file, fullPage: true })
    await page.setJavaScriptEnabled(true)
    await page.reload()
    await page.evaluate(axe)
    const { violations } = await page.evaluate(() => globalThis.axe.run())
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)
    await page.close()
    console.log(`${file}: ${violations.length} findings`)
    for (const found of violations) console.log(`  ${found.id}: ${found.help}: ${found.nodes[0].html}`)
    if (wide) console.log('  the page is wider than the window')
    if (violations.length || wide) process.exitCode = 1
  }
}

await mkdir(folder, { recursive: true })
const browser = await puppeteer.launch({ executablePath: chromium, args: ['--no-sandbox'] })
try {
  const issuer = await start(['issuer'])
  const mint = async (query) => (await (await fetch(`${issuer}/mint?${query}`)).text()).trim()
  const user = 'sub=alice&email=alice@example.com&name=Alice%20Example&groups=admins,staff&department=it'
  const token = async (query = '') => ({ 'X-Pomerium-Jwt-Assertion': await mint(user + query) })
  const good = await serve({ POMERIUM_JWT_ROUTE: issuer })
  const differing = { 'X-Pomerium-Claim-Email': 'root@example.com' }
  await shoot(browser, 'verified', good, { ...(await token()), ...differing })
  await shoot(browser, 'not-verified', good, await token('&expires_in=-600'))
  await shoot(browser, 'no-token', good, {})
  const container = { JWKS_ENDPOINT: 'https://pomerium/.well-known/pomerium/jwks.json' }
  await shoot(browser, 'keys-unavailable', await serve(container), await token())
  await shoot(browser, 'any-route', await serve({ JWKS_ENDPOINT: `${issuer}/.well-known/pomerium/jwks.json` }), await token())
} finally {
  await browser.close()
  processes.forEach((child) => child.kill())
}
