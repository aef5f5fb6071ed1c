// Nothing but a pending verification keeps this process alive.
import { Verifier } from 'pomerium-jwt'

const { ISSUER, TOKEN, TIMEOUT } = process.env
const verifier = new Verifier({ route: ISSUER, timeout: Number(TIMEOUT) })
verifier.verify(TOKEN).catch((error) => console.log(error.code))
