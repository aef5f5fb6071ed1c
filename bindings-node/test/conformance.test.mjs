// Every case of conformance/, and the lists in src/ compared with those that the core prints.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'

import { requireGroup, requireUser, Verifier, VerifyError } from 'pomerium-jwt'

import { made } from '../dist/errors.js'

import { ROOT } from './servers.mjs'

const read = (name) => JSON.parse(readFileSync(path.join(ROOT, 'conformance', name), 'utf8'))
const source = (name) => readFileSync(path.join(ROOT, 'bindings-node/src', name), 'utf8')

/** The mechanical rule between the names of the core and those of JavaScript. */
const camelCase = (text) => text.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase())
const renamed = (object, rule = camelCase) =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [rule(name), value]))

/** If a case mistakes the one spelling for the other, the mistake in JavaScript is the reverse. */
const OPTIONS = read('options.json').map((row) => row.name)
const mistaken = (name) => OPTIONS.find((own) => own !== name && camelCase(own) === name)
const optionName = (name) => mistaken(name) ?? (/^\w+$/.test(name) ? camelCase(name) : name)

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
  message = inOurWords(message)
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
    return { identity: everyField(identity), claims: identity.claims }
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error
    return { code: error.code, message: error.reason }
  }
}

/** An identity as JSON, if its properties say the same. */
function everyField(identity) {
  const fields = FIELDS.map((name) => [name, identity[name]])
  assert.deepStrictEqual(renamed(identity.toJSON()), Object.fromEntries(fields))
  return JSON.parse(JSON.stringify(identity))
}

/** The names of options that a message of the core holds, as they are written here. */
function inOurWords(message) {
  return message.replace(/\w+/g, (word) => (OPTIONS.includes(word) ? camelCase(word) : word))
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
    const error = made(code, 'why')
    assert.deepEqual({ ...error }, { code, number, kind, status, reason: 'why' })
    assert.equal(String(error), `VerifyError: ${kind === 'options' ? 'why' : code}`)
    assert.equal(JSON.stringify(error), `{"error":"${code}"}`)
    assert.deepEqual([error.body, error.headers['Content-Type']], [`{"error":"${code}"}`, 'application/json'])
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

test('the type Options has every option', () => {
  const own = [...source('option-types.ts').matchAll(/^ {2}readonly (\w+)\?: /gm)].map(([, name]) => name)
  assert.deepEqual(own.sort(), OPTIONS.map(camelCase).sort(), 'run `make conformance`')
})

test('every request has its outcome', async () => {
  const cases = read('requests.json')
  assert(cases.length >= 280, `${cases.length} cases only`)
  const failures = []
  for (const one of cases) {
    const why = await requestDifference(one)
    if (why !== undefined) failures.push(`${one.id}: ${why}`)
  }
  assert.equal(failures.length, 0, `${failures.length} cases differ:\n${failures.join('\n')}`)
  console.log(`requests: ${cases.length} cases`)
})

async function requestDifference({ options, with: others, request, demand, expect: { message = '', ...expected } }) {
  const { message: said = '', ...got } = await requestOutcome(options, others, request, demand)
  if (!request && !said.includes(inOurWords(message))) return `"${said}" does not say "${message}"`
  try {
    assert.deepStrictEqual(got, expected)
  } catch (error) {
    return error.message
  }
}

async function requestOutcome(options, others, request, demand) {
  let made = false
  try {
    let verifier = new Verifier(renamed(options, optionName))
    if (others) verifier = verifier.with(Array.isArray(others) ? others : renamed(others, optionName))
    made = true
    if (!request) return { accepted: 'the options' }
    const { token, path, upgrade, marked_public: markedPublic } = request
    const identity = await verifier.admit({ token: joined(token), path, upgrade, markedPublic })
    if (demand?.user) requireUser(identity)
    if (demand?.groups) requireGroup(identity, ...demand.groups)
    return identity ? { identity: everyField(identity) } : { passed: true }
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error
    const { code, status, headers, body, reason } = error
    return made ? { code, status, headers, body } : { code, message: reason }
  }
}
