// Runs under no-threads.c: while NO_THREADS is set no thread can be started.
import { Verifier } from 'pomerium-jwt'

const { ISSUER, TOKEN, TIMEOUT } = process.env
const verifier = new Verifier({ route: ISSUER, timeout: Number(TIMEOUT) })
const outcomes = []
process.env.NO_THREADS = '1'
await verifier.verify(TOKEN).catch((error) => outcomes.push(error.code))
await verifier.refresh({ force: true }).catch((error) => outcomes.push(error.code))
delete process.env.NO_THREADS
await verifier.refresh({ force: true })
outcomes.push((await verifier.verify(TOKEN)).subject)
console.log(...outcomes)
