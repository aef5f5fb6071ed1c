// The one verifier of the application, made when it is first needed
import { pomerium } from 'pomerium-jwt/next'

export const auth = pomerium()
