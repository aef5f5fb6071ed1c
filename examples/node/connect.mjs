// The application on Connect:
// POMERIUM_JWT_ROUTE=https://app.example.com PORT=8000 node connect.mjs

import { createServer } from 'node:http'

import connect from 'connect'
import { VerifyError } from 'pomerium-jwt'
import { pomerium } from 'pomerium-jwt/express'

import { announce, answer, corsFromEnvironment } from './routes.mjs'

const { PORT = '8000', REWRITE } = process.env
const app = connect()
app.use(await corsFromEnvironment())
if (REWRITE) {
  const [from, to] = REWRITE.split('=')
  app.use((request, response, next) => {
    if (request.url.split('?')[0] === from) request.url = to
    next()
  })
}
const protect = pomerium()
app.use(protect) // from here on every request is verified
app.use((request, response) => answer(request, response, protect.verifier))
app.use((error, request, response, next) => {
  if (!(error instanceof VerifyError)) return next(error)
  response.writeHead(error.status, error.headers).end(error.body)
})

const server = createServer({ maxHeaderSize: 131_072 }, app)
server.listen(Number(PORT), '127.0.0.1', announce(server))
