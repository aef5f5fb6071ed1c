// Ends by force while a fetch is under way.
import { setTimeout as sleep } from 'node:timers/promises'
import { Verifier } from 'pomerium-jwt'

const { ISSUER, TOKEN, TIMEOUT } = process.env
const verifier = new Verifier({ route: ISSUER, timeout: Number(TIMEOUT) })
verifier.verify(TOKEN).then(console.log, console.log)
while (JSON.parse(await (await fetch(`${ISSUER}/stats`)).text()).fetches === 0) await sleep(10)
process.exit(7)
