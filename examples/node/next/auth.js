import { pomerium } from 'pomerium-jwt/next'

export const auth = pomerium()
