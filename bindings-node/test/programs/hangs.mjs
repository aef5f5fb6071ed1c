// A fetch from a server that hangs is under way; then this worker leaves, if it was told to.
import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { Verifier } from 'pomerium-jwt'

const { ISSUER, TOKEN, JWKS } = process.env
// With keys to start with nobody waits: the core fetches in the background
const jwksInitial = workerData.background ? JSON.parse(JWKS) : undefined
const verifier = new Verifier({ route: ISSUER, timeout: 2, jwksInitial })
const verified = verifier.verify(TOKEN).catch(() => {})
if (workerData.background) await verified
while (verifier.status().fetches === 0) await sleep(1)
parentPort.postMessage('a fetch runs')
if (workerData.leave) process.exit(3)
