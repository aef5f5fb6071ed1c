// The programs in examples/node, as strangers run them: in a project of their own, in which the packed package is
// installed, before a real `pomerium-jwt issuer`.

import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'

import { ask, environment, HEADER, Issuer, PACKAGE, project, ROOT, run } from './servers.mjs'

const folder = installed()
cpSync(path.join(ROOT, 'examples', 'node'), folder, { recursive: true })

/** A project with the packages as they are released, but for the profile. */
function installed() {
  const folder = project()
  const pack = [path.join(PACKAGE, 'scripts', 'package.mjs'), 'debug', path.join(folder, 'packed')]
  const packed = execFileSync(process.execPath, pack, { encoding: 'utf8' }).trim().split('\n')
  const options = ['--offline', '--no-audit', '--no-fund', '--no-package-lock', '--silent']
  execFileSync('npm', ['install', ...options, ...packed], { cwd: folder, stdio: 'inherit' })
  symlinkSync(path.join(PACKAGE, 'node_modules', 'express'), path.join(folder, 'node_modules', 'express'))
  return folder
}

/** The web application and its issuer. */
async function start(context, options = {}) {
  const issuer = await Issuer.start()
  context.after(() => issuer.close())
  const server = await run(context, path.join(folder, 'app.mjs'), { POMERIUM_JWT_ROUTE: issuer.url, ...options })
  assert(server.port, server.log)
  const get = (target, token, headers = {}, method = 'GET') =>
    ask(server.port, target, token === undefined ? headers : { ...headers, [HEADER]: token }, method)
  return { issuer, server, get }
}

describe('app.mjs', { concurrency: true }, () => {
  test('who gets in', async (context) => {
    const { issuer, server, get } = await start(context)
    const good = await issuer.mint({ email: 'alice@example.com' })
    const admin = await issuer.mint({ groups: 'admins,staff', department: 'R&D' })
    const table = [
      ['/', good, 200, { subject: 'alice', email: 'alice@example.com', groups: [] }],
      ['/admin', admin, 200, { department: 'R&D', sign_out: '/.pomerium/sign_out' }],
      ['/admin', good, 403, { error: 'group_required' }],
      ['/healthz', undefined, 200, { configured: true, keysLoaded: true, stale: false, state: 'fresh' }],
      ['/', undefined, 401, { error: 'token_missing' }],
      ['/', [good, good], 401, { error: 'token_repeated' }],
      ['/', await issuer.mint({ expires_in: '-100' }), 401, { error: 'token_expired' }],
      ['/', await issuer.mint({ host: 'other.example.com' }), 401, { error: 'issuer_mismatch' }],
      ['/', await issuer.mint({ sub: '' }), 401, { error: 'subject_missing' }],
      ['/nowhere', undefined, 401, { error: 'token_missing' }],
    ]
    for (const [target, token, status, body] of table) {
      const answer = await get(target, token)
      assert.deepEqual([answer.status, answer.body], [status, body], `${target} ${token}`)
    }
    assert.equal((await get('/nowhere', good)).status, 404)
    assert.equal((await get('/', undefined, { 'Access-Control-Request-Method': 'GET' }, 'OPTIONS')).status, 200)
    assert(!server.log.includes(good), 'the log holds no token')
    assert.match(server.log, /refused "\/": token_expired: the token expired/)
  })

  test('the key server is away', async (context) => {
    const { issuer, get } = await start(context)
    await issuer.post('/fault?kind=500')
    const { status, headers, body } = await get('/', await issuer.mint())
    assert.deepEqual([status, body], [503, { error: 'keys_unavailable' }])
    assert(Number(headers['retry-after']) >= 1)
    const health = await get('/healthz')
    assert.deepEqual([health.status, health.body.keysLoaded], [200, false], 'alive, whatever the key server does')
  })

  test('the key server hangs from the start on', async (context) => {
    const { issuer, get } = await start(context, { POMERIUM_JWT_TIMEOUT: '1' })
    const token = await issuer.mint()
    await issuer.post('/fault?kind=hang')
    let waiting = 100
    const answers = Array.from({ length: waiting }, () => get('/', token).finally(() => waiting--))
    // Nobody else waits: these are answered while the others wait for their keys, or there is nobody waiting
    while (waiting > 0) assert.equal((await get('/healthz')).status, 200)
    for (const { status, body } of await Promise.all(answers)) {
      assert.deepEqual([status, body], [503, { error: 'keys_unavailable' }])
    }
    await issuer.post('/fault?kind=none')
    while ((await get('/', token)).status === 503) await setTimeout(100)
    assert.equal((await get('/', token)).status, 200)
  })

  test('the key server hangs later on: nobody is refused', async (context) => {
    const { issuer, get } = await start(context, { POMERIUM_JWT_TIMEOUT: '1', POMERIUM_JWT_CACHE_TTL: '3' })
    const token = await issuer.mint()
    assert.equal((await get('/', token)).status, 200)
    await issuer.post('/fault?kind=hang')
    const statuses = await steadily(7, () => get('/', token))
    assert.deepEqual([...new Set(statuses)], [200])
    assert.equal((await get('/healthz')).body.stale, true)
  })

  test('rotation under load, in steps: nobody is refused', async (context) => {
    const options = { POMERIUM_JWT_CACHE_TTL: '1', POMERIUM_JWT_REFETCH_COOLDOWN: '1' }
    const { issuer, get } = await start(context, options)
    const work = Array.from({ length: 4 }, () => steadily(7, async () => get('/', await issuer.mint())))
    for (const [pause, step] of [
      [1, 'append'],
      [2, 'swap'],
      [2, 'drop'],
    ]) {
      await setTimeout(pause * 1000)
      await issuer.post(`/rotate?step=${step}`)
    }
    const statuses = (await Promise.all(work)).flat()
    assert.deepEqual([...new Set(statuses)], [200])
    assert(statuses.length >= 80, `${statuses.length} requests only`)
  })

  test('rotation without the steps: the unknown key makes it fetch', async (context) => {
    const { issuer, get } = await start(context)
    assert.equal((await get('/', await issuer.mint())).status, 200)
    await issuer.post('/rotate')
    assert.equal((await get('/', await issuer.mint())).status, 200)
  })

  test('a wrong configuration stops the start', async (context) => {
    const { port, log, exit } = await run(context, path.join(folder, 'app.mjs'), {})
    assert.equal(port, undefined)
    assert.match(log, /VerifyError: .*audience/)
    assert.notEqual(await exit, 0)
  })
})

test('verify.mjs', async (context) => {
  const issuer = await Issuer.start()
  context.after(() => issuer.close())
  const token = await issuer.mint()
  const table = [
    [issuer.url, token, 0, 'alice -\n', ''],
    [issuer.url, `${await issuer.mint({ email: 'a@example.com' })}\n`, 0, 'alice a@example.com\n', ''],
    [issuer.url, await issuer.mint({ expires_in: '-100' }), 1, '', 'token_expired: '],
    [issuer.url, '', 1, '', 'token_missing: '],
    ['', token, 2, '', 'invalid_options: '],
    ['http://127.0.0.1:9', token, 3, '', 'keys_unavailable: '],
  ]
  for (const [route, input, code, printed, complaint] of table) {
    const options = { input, env: environment({ POMERIUM_JWT_ROUTE: route }), encoding: 'utf8' }
    const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(folder, 'verify.mjs')], options)
    assert.deepEqual([status, stdout], [code, printed], stderr)
    assert(stderr.startsWith(complaint), stderr)
  }
})

/** The statuses of one call every 0.05 seconds. */
async function steadily(seconds, call) {
  const statuses = []
  const end = performance.now() + seconds * 1000
  while (performance.now() < end) {
    statuses.push((await call()).status)
    await setTimeout(50)
  }
  return statuses
}
