// An Express application behind Pomerium. The environment says which one:
// POMERIUM_JWT_ROUTE=https://app.example.com PORT=8000 node app.mjs

import express from 'express'
import { logoutUrl } from 'pomerium-jwt'
import { pomerium, requireGroup } from 'pomerium-jwt/express'

const app = express()
const protect = pomerium({ exemptPaths: ['/healthz'] })
app.use(protect) // from here on every request is verified

app.get('/', (request, response) => {
  const { subject, email, groups } = request.pomerium
  response.json({ subject, email, groups })
})

app.get('/admin', requireGroup('admins'), (request, response) => {
  response.json({ department: request.pomerium.claims.department, sign_out: logoutUrl() })
})

app.get('/healthz', (request, response) => {
  response.json(protect.verifier.health())
})

const server = app.listen(Number(process.env.PORT ?? 8000), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}`)
})
