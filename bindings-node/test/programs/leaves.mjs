// Ends while a refresh that nobody waits for is under way.
import { setTimeout as sleep } from 'node:timers/promises'
import { Verifier } from 'pomerium-jwt'

const { ISSUER, TOKEN, TIMEOUT } = process.env
const verifier = new Verifier({ route: ISSUER, timeout: Number(TIMEOUT), cacheTtl: 2 })
await verifier.verify(TOKEN)
await fetch(`${ISSUER}/fault?kind=hang`, { method: 'POST', keepalive: false })
while (verifier.status().state === 'fresh') await sleep(20)
const { subject } = await verifier.verify(TOKEN)
console.log(verifier.status().state, subject)
