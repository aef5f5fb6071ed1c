// Times pomerium-jwt next to the libraries that a Node program would otherwise use, in one process:
//     npm ci --prefix bench/node && node bench/node/bench.mjs
// with bindings-node built before, its addon in the release profile; `make bench-node` does it all.
//
// Each verifies the same 2,000 distinct tokens under one key with the same checks (algorithm, signature, exp, nbf, iss,
// aud), and `email` and `groups` are read. The libraries take turns in short rounds and the medians are printed, so
// that a change of the machine's speed meets all of them: read the ratios. The table goes to bench/node.json in Cargo's
// target directory too.

import { createPublicKey } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { JwtVerifier } from 'aws-jwt-verify'
import { createVerifier } from 'fast-jwt'
import { importJWK, jwtVerify } from 'jose'
import jsonwebtoken from 'jsonwebtoken'

import { TestIssuer } from '../../bindings-node/dist/testing.js'

const HOST = 'app.example.com'
const TOKENS = 2000
// Short, so that most rounds of the slow ones too pass without another program in between
const SHARE = 20
const ROUNDS = 500
const LEEWAY = 60
const OURS = 'pomerium-jwt'
const ROOT = path.resolve(import.meta.dirname, '../..')

/** Name -> a function that gives the claims of a token, or throws. Each has its key ready, as in an application. */
async function subjects(issuer) {
  const { jwks } = issuer.options
  const [jwk] = jwks.keys
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  const verifier = issuer.verifier()
  const joseKey = await importJWK(jwk, 'ES256')
  const fastJwt = createVerifier({
    key: key.export({ type: 'spki', format: 'pem' }),
    algorithms: ['ES256'],
    allowedIss: HOST,
    allowedAud: HOST,
    requiredClaims: ['exp'],
    clockTolerance: LEEWAY * 1000,
    cache: false,
  })
  const aws = JwtVerifier.create({
    issuer: HOST,
    audience: HOST,
    jwksUri: `https://${HOST}/.well-known/pomerium/jwks.json`,
    graceSeconds: LEEWAY,
  })
  aws.cacheJwks(jwks)
  const options = { algorithms: ['ES256'], issuer: HOST, audience: HOST, clockTolerance: LEEWAY }
  return {
    [OURS]: (token) => verifier.verify(token),
    [`${OURS} verifySync`]: (token) => verifier.verifySync(token),
    'fast-jwt': (token) => fastJwt(token),
    jsonwebtoken: (token) => jsonwebtoken.verify(token, key, options),
    'aws-jwt-verify': (token) => aws.verifySync(token),
    jose: async (token) => (await jwtVerify(token, joseKey, { ...options, requiredClaims: ['exp'] })).payload,
  }
}

/** A library that lets one of these pass is not compared for the same work. */
async function check(name, verify, issuer) {
  const { email, groups } = await verify(issuer.token({ groups: ['admins', 'staff'] }))
  if (email !== 'alice@example.com' || groups.join() !== 'admins,staff') throw new Error(`${name} reads other claims`)
  const good = issuer.token()
  const wrong = {
    expired: issuer.expired(),
    'of another audience': issuer.wrongAudience(),
    'of another issuer': issuer.token({ iss: 'other.example.com' }),
    'not valid yet': issuer.token({ nbf: Math.floor(Date.now() / 1000) + 1000 }),
    'of another key': new TestIssuer(HOST).token(),
    altered: good.slice(0, -8) + (good.endsWith('AAAAAAAA') ? 'BBBBBBBB' : 'AAAAAAAA'),
    unsigned: `${Buffer.from('{"alg":"none"}').toString('base64url')}.${good.split('.')[1]}.`,
  }
  for (const [what, token] of Object.entries(wrong)) {
    let accepted = true
    try {
      await verify(token)
    } catch {
      accepted = false
    }
    if (accepted) throw new Error(`${name} accepts a token that is ${what}`)
  }
}

/** Microseconds for one token. Only promises are awaited, so that nobody pays for another's way of waiting. */
async function time(verify, tokens) {
  let read = 0
  const start = process.hrtime.bigint()
  for (const token of tokens) {
    const result = verify(token)
    const { email, groups } = result instanceof Promise ? await result : result
    read += email.length + groups.length
  }
  const microseconds = Number(process.hrtime.bigint() - start) / 1000 / tokens.length
  if (read !== tokens.length * ('alice@example.com'.length + 2)) throw new Error('not every token was read')
  return microseconds
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
}

function version(name) {
  const folder = name === OURS ? path.join(ROOT, 'bindings-node') : path.join(import.meta.dirname, 'node_modules', name)
  return JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')).version
}

function report(times) {
  const ours = median(times[OURS])
  const rows = Object.entries(times).map(([name, values]) => {
    const us = median(values)
    return { name, version: version(name.split(' ')[0]), us, ratio: us / ours }
  })
  console.log(`${' '.repeat(24)} ${'version'.padEnd(10)} ${'µs'.padStart(8)} ${'to ours'.padStart(8)}`)
  for (const { name, version, us, ratio } of rows) {
    console.log(`${name.padEnd(24)} ${version.padEnd(10)} ${us.toFixed(1).padStart(8)} ${ratio.toFixed(2).padStart(8)}`)
  }
  const folder = path.join(process.env.CARGO_TARGET_DIR ?? path.join(ROOT, 'target'), 'bench')
  mkdirSync(folder, { recursive: true })
  const file = path.join(folder, 'node.json')
  writeFileSync(file, `${JSON.stringify(rows, null, 2)}\n`)
  console.log(`\nAlso in ${file}.`)
}

const issuer = new TestIssuer(HOST)
// The claims of a token that Pomerium usually sends
const tokens = Array.from({ length: TOKENS }, (_, number) =>
  issuer.token({
    sub: `google-oauth2|${String(number).padStart(9, '0')}`,
    email: 'alice@example.com',
    name: 'Alice Example',
    groups: ['admins', 'staff'],
    sid: '7f2b7e0c-3f0d-4d2c-9e0e-0d5a3c1b9a11',
    exp: 4_000_000_000,
  }),
)
const compared = await subjects(issuer)
for (const [name, verify] of Object.entries(compared)) await check(name, verify, issuer)
const times = Object.fromEntries(Object.keys(compared).map((name) => [name, []]))
for (let round = 0; round < ROUNDS; round++) {
  const start = (round * SHARE) % TOKENS
  const batch = tokens.slice(start, start + SHARE)
  for (const [name, verify] of Object.entries(compared)) times[name].push(await time(verify, batch))
}
report(times)
