// The application of Next.js in examples/node/next, built as a new user's is, with the packages as they are released, and
// started from its standalone output.

import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { before, test } from 'node:test'

import { ask, environment, HEADER, Issuer, PACKAGE, ROOT, run } from './servers.mjs'

const FOLDER = path.join(ROOT, 'examples', 'node', 'next')
const START = path.join(FOLDER, 'start.mjs')
const TOKEN_MISSING = [401, { error: 'token_missing' }]

before(() => execFileSync('./prepare', { cwd: FOLDER, env: environment({}), encoding: 'utf8' }))

test('who gets in, with and without the proxy', async (context) => {
  const issuer = await Issuer.start()
  context.after(() => issuer.close())
  const { port, log } = await run(context, START, {
    POMERIUM_JWT_ROUTE: issuer.url,
    POMERIUM_JWT_EXEMPT_PATHS: '/health,/public/*,/admin-of-nobody',
  })
  assert(port, log)
  const staff = await issuer.mint({ email: 'alice@example.com', groups: 'staff' })
  const admin = await issuer.mint({ groups: 'admins' })
  const get = (target, token, headers = {}, method = 'GET') =>
    ask(port, target, token === undefined ? headers : { ...headers, [HEADER]: token }, method)
  for (const [target, token, expected, headers, method] of [
    ['/', undefined, TOKEN_MISSING],
    ['/nowhere', undefined, TOKEN_MISSING],
    ['/_next/static/chunks/main.js', undefined, TOKEN_MISSING],
    ['/_next/image?url=%2Fa.png&w=64&q=75', undefined, TOKEN_MISSING],
    ['/me', undefined, TOKEN_MISSING],
    ['/hello', undefined, TOKEN_MISSING],
    ['/nowhere', staff, [200, { reached: true, subject: 'alice' }]],
    ['/nowhere', staff, [200, { reached: true, subject: 'alice' }], {}, 'POST'],
    ['/', await issuer.mint({ expires_in: '-100' }), [401, { error: 'token_expired' }]],
    ['/', [staff, staff], [401, { error: 'token_repeated' }]],
    ['/admin', staff, [403, { error: 'group_required' }]],
    ['/public/a', undefined, [200, { reached: true, subject: null }]],
    // next.config.js rewrites it to /admin, whose handler verifies
    ['/public/page', undefined, TOKEN_MISSING],
    ['/public/page', staff, [403, { error: 'group_required' }]],
    ['/admin-of-nobody', undefined, [200, { reached: true, subject: null }]],
    ['/health', undefined, TOKEN_MISSING, { Upgrade: 'websocket' }],
    // Next.js resolves dots before anybody is asked, and goes by the result
    ...['/public/../admin', '/public/%2e%2e/admin', '/public/a/..', '/%68ealth', '/health/'].map((target) => [
      target,
      undefined,
      TOKEN_MISSING,
    ]),
    // What once let requests past the proxy
    ['/', undefined, TOKEN_MISSING, { 'x-middleware-subrequest': 'proxy:proxy:proxy:proxy:proxy' }],
    ['/admin', undefined, TOKEN_MISSING, { 'x-middleware-subrequest': 'src/middleware', Next: '1', RSC: '1' }],
  ]) {
    const { status, body } = await get(target, token, headers, method)
    assert.deepEqual([status, body], expected, `${method ?? 'GET'} ${target} ${JSON.stringify(headers ?? {})}`)
  }
  assert.deepEqual((await get('/health')).body.configured, true)
  assert.deepEqual((await get('/hello', staff)).body, { hello: 'alice@example.com' })
  assert.equal((await get('/admin', admin)).body.subject, 'alice')
  assert.match((await get('/me', staff)).body, /hello (<!-- -->)?alice@example\.com/)
  const many = await issuer.mint({ groups: Array.from({ length: 2000 }, (_, n) => `group-of-users-${n}`).join() })
  assert.equal((await get('/nowhere', many)).status, 200, `a token of ${many.length} bytes`)
  assert.equal(await issuer.fetches(), 1, 'proxy, handlers and pages share their keys')
})

test('a wrong configuration ends it, in a sentence', async (context) => {
  const { log, exit } = await run(context, START, { POMERIUM_JWT_EXEMPT_PATHS: '/health' })
  assert.notEqual(await exit, 0)
  assert.match(log, /audience is missing: set route/)
})

/** Builds a variant of the application, with these files changed and these options added. */
function build(name, options, files) {
  const folder = path.join(FOLDER, '.variants', name)
  rmSync(folder, { recursive: true, force: true })
  for (const part of ['app', 'auth.js', 'proxy.js', 'instrumentation.js', 'package.json']) {
    cpSync(path.join(FOLDER, part), path.join(folder, part), { recursive: true })
  }
  // node_modules is above it
  const all = { outputFileTracingRoot: FOLDER, turbopack: { root: FOLDER }, ...options }
  const config = `import config from '../../next.config.js'\nexport default { ...config, ...${JSON.stringify(all)} }`
  for (const [file, text] of Object.entries({ 'next.config.js': config, ...files })) {
    writeFileSync(path.join(folder, file), text)
  }
  const next = path.join(FOLDER, 'node_modules', '.bin', 'next')
  const env = environment({ NEXT_TELEMETRY_DISABLED: '1', NO_COLOR: '1' })
  const { status, stdout, stderr } = spawnSync(next, ['build'], { cwd: folder, env, encoding: 'utf8' })
  return { folder, status, printed: stdout + stderr }
}

test('on an edge runtime the build fails with one error, a sentence', () => {
  const route = readFileSync(path.join(FOLDER, 'app', 'route.js'), 'utf8')
  const { status, printed } = build('edge', {}, { 'app/route.js': `${route}\nexport const runtime = 'edge'\n` })
  assert.equal(status, 1, printed)
  assert.match(printed, /build failed with 1 error/)
  assert.match(printed, /pomerium-jwt needs Node\.js and does not run on an edge runtime/)
})

test('with cacheComponents, which prerenders what it can, it is built without the environment', () => {
  const { folder, status, printed } = build('cache', { cacheComponents: true, partialPrefetching: true }, {})
  assert.equal(status, 0, printed)
  const { routes } = JSON.parse(readFileSync(path.join(folder, '.next', 'prerender-manifest.json'), 'utf8'))
  const prerendered = Object.keys(routes).filter((route) => !route.startsWith('/_'))
  assert.deepEqual(prerendered, ['/me'], 'of which only what is around the caller')
})

test('what the README quotes is valid TypeScript, strictly, as bundlers resolve it', () => {
  const modules = path.join(PACKAGE, 'node_modules')
  const strict = '--noEmit --ignoreConfig --strict --skipLibCheck --allowJs --checkJs --target es2022 --types node'
  const resolution = [
    '--module',
    'esnext',
    '--moduleResolution',
    'bundler',
    '--typeRoots',
    path.join(modules, '@types'),
  ]
  const files = ['auth.js', 'proxy.js', 'instrumentation.js', 'app/hello/route.js']
  const command = [path.join(modules, 'typescript', 'bin', 'tsc'), ...strict.split(' '), ...resolution, ...files]
  const { status, stdout } = spawnSync(process.execPath, command, { cwd: FOLDER, encoding: 'utf8' })
  assert.equal(status, 0, stdout)
})
