// A server written against the interface of the official package. js-sdk.test.mjs runs it with another import and with
// jwksUrl, and changes nothing else.

import express from 'express'
import { parseJWT, PomeriumVerifier, signOut, verifyPomeriumJWT, withHttps } from '@pomerium/js-sdk'

const { PORT, POMERIUM_HOST, POMERIUM_URL } = process.env
const app = express()
const verifier = new PomeriumVerifier({ issuer: POMERIUM_HOST, audience: [POMERIUM_HOST], expirationBuffer: 20 })
const assertion = (request) => request.get('X-Pomerium-Jwt-Assertion')

app.get('/', (request, response) => {
  verifier
    .verifyJwt(assertion(request))
    .then(({ payload, protectedHeader }) => response.send({ email: payload.email, alg: protectedHeader.alg }))
    .catch((error) => response.status(401).send({ message: error.message }))
})

// One for each request, as in the official example
const pages = {
  '/first-use': { expirationBuffer: 1000 },
  '/wrong-audience': { audience: ['correct-audience.example.com'], expirationBuffer: 1000 },
  '/wrong-issuer': { issuer: 'correct-issuer.example.com', expirationBuffer: 1000 },
  '/expired': { expirationBuffer: -10000 },
}
for (const [page, config] of Object.entries(pages)) {
  app.get(page, (request, response) => {
    const jwtVerifier = new PomeriumVerifier({ ...config })
    jwtVerifier
      .verifyJwt(assertion(request) || '')
      .then((result) => response.send({ ...result.payload, loggedIn: jwtVerifier.isLoggedIn() }))
      .catch((error) => response.send({ message: error.message }))
  })
}

app.get('/functions', async (request, response) => {
  const { payload } = await verifyPomeriumJWT(assertion(request), POMERIUM_URL, POMERIUM_HOST, POMERIUM_HOST)
  const { sub } = parseJWT(assertion(request))
  response.send({ verified: payload.sub, parsed: sub, url: withHttps('app.example.com'), out: typeof signOut })
})

const server = app.listen(Number(PORT), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`))
