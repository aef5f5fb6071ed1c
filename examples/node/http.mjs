// The application on Node's own server:
// POMERIUM_JWT_ROUTE=https://app.example.com PORT=8000 node http.mjs

import { createServer } from 'node:http'

import { protect } from 'pomerium-jwt/http'

import { announce, answer, corsFromEnvironment } from './routes.mjs'

const listener = protect((request, response) => answer(request, response, listener.verifier))
const cors = await corsFromEnvironment()

const server = createServer({ maxHeaderSize: 131_072 }, (request, response) =>
  cors(request, response, () => listener(request, response)),
)
server.listen(Number(process.env.PORT ?? 8000), '127.0.0.1', announce(server))
