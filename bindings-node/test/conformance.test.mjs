// Every case of conformance/, and the lists that src/ repeats compared with those that the core prints.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'

import { Verifier, VerifyError } from 'pomerium-jwt'

import { ROOT } from './servers.mjs'

const read = (name) => JSON.parse(readFileSync(path.join(ROOT, 'conformance', name), 'utf8'))
const source = (name) => readFileSync(path.join(ROOT, 'bindings-node/src', name), 'utf8')

/** The mechanical rule between the names of the core and those of JavaScript. */
const camelCase = (text) => text.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase())
const renamed = (object, rule = camelCase) =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [rule(name), value]))

/** Where a case mistakes the one spelling for the other, the mistake in JavaScript is the reverse. */
const OPTIONS = read('options.json').map((row) => row.name)
const mistaken = (name) => OPTIONS.find((own) => own !== name && camelCase(own) === name)
const optionName = (name) => mistaken(name) ?? camelCase(name)

const FIELDS = [
  ...['subject', 'user', 'email', 'name', 'groups', 'sessionId', 'tokenId', 'issuer', 'audience', 'issuedAt'],
  ...['expiresAt', 'anonymous'],
]

test('every case has its outcome', () => {
  process.chdir(path.join(ROOT, 'conformance')) // files that options name are relative to it
  const cases = [...read('cases.json'), ...read('genuine.json')]
  const failures = cases.map((one) => [one.id, difference(one)]).filter(([, why]) => why !== undefined)
  const listed = failures.map(([id, why]) => `${id}: ${why}`).join('\n')
  assert.equal(failures.length, 0, `${failures.length} cases differ:\n${listed}`)
  console.log(`conformance: ${cases.length} cases`)
})

function difference({ options, token, now, expect: { message = '', ...expected } }) {
  if (expected.identity) expected.identity = renamed(expected.identity)
  if (Object.keys(options).some(mistaken)) message = camelCase(message)
  const got = outcome(renamed(options, optionName), token, now)
  if (got.message !== undefined && !got.message.includes(message)) return `"${got.message}" does not say "${message}"`
  delete got.message
  try {
    assert.deepStrictEqual(got, expected)
  } catch (error) {
    return error.message
  }
}

function outcome(options, token, now) {
  try {
    const verifier = new Verifier(options)
    if (token === undefined) return { accepted: 'the options' }
    const identity = verifier.verifyAt(joined(token), now)
    const fields = Object.fromEntries(FIELDS.map((name) => [name, identity[name]]))
    return { identity: fields, claims: identity.claims }
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error
    return { code: error.code, message: error.message }
  }
}

function joined(token) {
  if (typeof token === 'string') return token
  return token.map((part) => (typeof part === 'string' ? part : part[0].repeat(part[1]))).join('')
}

test('the type Code has every code', () => {
  const own = [...source('errors.ts').matchAll(/^ {2}\| '(\w+)'$/gm)].map(([, code]) => code)
  const published = read('codes.json').map((row) => row.code)
  const missing = published.filter((code) => !own.includes(code)).map((code) => `  | '${code}'`)
  assert.equal(missing.length, 0, `add to Code in src/errors.ts:\n${missing.join('\n')}`)
  assert.deepEqual(own, published, 'Code in src/errors.ts has other codes, or another order')
})

for (const { code, number, kind, status } of read('codes.json')) {
  test(`number, kind and status of ${code}`, () => {
    const error = new VerifyError(code, 'why', { retryAfter: 7 })
    assert.deepEqual({ ...error }, { code, number, kind, status, retryAfter: 7 })
    assert.equal(String(error), 'VerifyError: why')
  })
}

test('the type Kind has every kind', () => {
  const [, kinds] = /^export type Kind = (.*)$/m.exec(source('errors.ts'))
  assert.deepEqual(
    kinds.split(' | ').sort(),
    [...new Set(read('codes.json').map((row) => `'${row.kind}'`))].sort(),
    'Kind in src/errors.ts has other kinds',
  )
})

const TYPES = {
  ...{ list: 'List', string: 'string', jwks: 'Jwks', claims: 'ExpectedClaims' },
  ...{ boolean: 'boolean', seconds: 'Seconds', integer: 'number' },
}

test('the type Options has every option', () => {
  const own = source('options.ts').match(/^ {2}readonly \w+\?: .*$/gm)
  const published = read('options.json').map(
    ({ name, type }) => `  readonly ${camelCase(name)}?: ${TYPES[type]} | undefined`,
  )
  const missing = published.filter((line) => !own.includes(line))
  assert.equal(missing.length, 0, `write in Options in src/options.ts:\n${missing.join('\n')}`)
  assert.deepEqual(own, published, 'Options in src/options.ts has other options, or another order')
})
