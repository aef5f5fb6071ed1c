// Reads a token from standard input and says who is calling. The environment says what to check:
// POMERIUM_JWT_ROUTE=https://app.example.com node verify.mjs < token

import { readFileSync } from 'node:fs'

import { Verifier, VerifyError } from 'pomerium-jwt'

const exitCodes = { token: 1, access: 1, options: 2, keys: 3, internal: 70 }

try {
  const identity = await Verifier.fromEnv().verify(readFileSync(0, 'utf8').trimEnd())
  console.log(identity.subject, identity.email ?? '-')
} catch (error) {
  if (!(error instanceof VerifyError)) throw error
  console.error(`${error.code}: ${error.reason}`)
  process.exitCode = exitCodes[error.kind]
}
