// Serves the built page and its data, to users that Pomerium has signed in:
// POMERIUM_JWT_ROUTE=https://app.example.com PORT=8000 node server.mjs

import path from 'node:path'

import express from 'express'
import { pomerium, requireGroup } from 'pomerium-jwt/express'

const app = express()
app.use(pomerium()) // from here on every request is verified
app.get('/api/report', requireGroup('admins'), (request, response) => {
  response.json({ report: `All is well, ${request.pomerium.email}.` })
})
app.use(express.static(path.join(import.meta.dirname, 'dist')))

const server = app.listen(Number(process.env.PORT ?? 8000), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}`)
})
