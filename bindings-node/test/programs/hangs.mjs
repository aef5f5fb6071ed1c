// Waits for keys from a server that hangs; leaves when told to.
import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { Verifier } from 'pomerium-jwt'

const { ISSUER, TOKEN } = process.env
const verifier = new Verifier({ route: ISSUER, timeout: 2 })
verifier.verify(TOKEN).catch(() => {})
while (verifier.status().fetches === 0) await sleep(1)
parentPort.postMessage('a fetch runs')
if (workerData.leave) process.exit(3)
