// The application on Node's own server, with WebSockets of the package ws at /ws:
// POMERIUM_JWT_ROUTE=https://app.example.com PORT=8000 node ws.mjs

import { createServer } from 'node:http'

import { protect } from 'pomerium-jwt/http'
import { protectUpgrade } from 'pomerium-jwt/ws'
import { WebSocketServer } from 'ws'

import { announce, answer, corsFromEnvironment } from './routes.mjs'

const listener = protect((request, response) => answer(request, response, listener.verifier))
const cors = await corsFromEnvironment()
const server = createServer({ maxHeaderSize: 131_072 }, (request, response) =>
  cors(request, response, () => listener(request, response)),
)

const webSockets = new WebSocketServer({ noServer: true })
protectUpgrade(server, webSockets, { verifier: listener.verifier })
webSockets.on('connection', (webSocket, request) => {
  if (request.url.split('?')[0] === '/ws') webSocket.send(request.pomerium?.subject ?? '')
  webSocket.close()
})

server.listen(Number(process.env.PORT ?? 8000), '127.0.0.1', announce(server))
