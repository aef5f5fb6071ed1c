// The application over HTTP/2 without TLS (a Pomerium route whose `to:` is h2c://...) and HTTP/1.1, on one port:
// POMERIUM_JWT_ROUTE=https://app.example.com PORT=8000 node http2.mjs

import http from 'node:http'
import http2 from 'node:http2'
import net from 'node:net'

import { protect } from 'pomerium-jwt/http'

import { announce, answer, corsFromEnvironment } from './routes.mjs'

const listener = protect((request, response) => answer(request, response, listener.verifier))
const cors = await corsFromEnvironment()
const both = (request, response) => cors(request, response, () => listener(request, response))

const http1 = http.createServer({ maxHeaderSize: 131_072 }, both)
const h2c = http2.createServer({ settings: { maxHeaderListSize: 131_072 } }, both)

// With TLS, http2.createSecureServer({ allowHTTP1: true }) does this. Only HTTP/2 begins with PRI
const server = net.createServer((socket) => {
  socket.on('error', () => socket.destroy())
  socket.once('data', (chunk) => {
    socket.pause()
    socket.unshift(chunk)
    const chosen = chunk.toString('latin1', 0, 3) === 'PRI' ? h2c : http1
    chosen.emit('connection', socket)
    process.nextTick(() => socket.resume())
  })
})
server.listen(Number(process.env.PORT ?? 8000), '127.0.0.1', announce(server))
