// Stands in for a real Pomerium, whose login is on another origin, and for the application behind it. `isEnded` ends the
// session: then a redirect to the login answers everything, but 401 what asks for JSON, and a page with 401 `/html-401`.

import { once } from 'node:events'
import { createServer } from 'node:http'

import { WebSocketServer } from 'ws'

const HTML = { 'Content-Type': 'text/html' }
const JSON_TYPE = { 'Content-Type': 'application/json' }
const USER = { sub: 'alice', email: 'alice@example.com', name: '', groups: ['admins', null, 7, 'staff'], level: '3' }

/** What the application answers, and Pomerium itself to `/.pomerium/user` while the session lasts. */
const ANSWERS = {
  '/': [200, HTML, '<!doctype html><title>page</title>'],
  '/based': [200, HTML, '<!doctype html><base href="https://cdn.example.com/app/"><title>page</title>'],
  '/.pomerium/user': [200, JSON_TYPE, JSON.stringify(USER)],
  '/json': [200, JSON_TYPE, '{"ok":true}'],
  '/html-401': [200, JSON_TYPE, '{"ok":true}'],
  '/html': [200, HTML, '<p>a part of a page</p>'],
  '/own-401': [401, JSON_TYPE, '{"error":"wrong password"}'],
  '/own-403': [403, JSON_TYPE, '{"error":"not yours"}'],
  '/own-html-401': [401, HTML, '<p>wrong password</p>'],
  '/moved': [302, { Location: '/json' }, ''],
  '/elsewhere': [302, { Location: 'http://127.0.0.1:9/' }, ''],
  '/worker.js': [200, { 'Content-Type': 'text/javascript' }, undefined],
  '/events': [200, { 'Content-Type': 'text/event-stream' }, undefined],
}

export async function standIn(context) {
  const login = await listen(context, (request, response) => response.writeHead(200, HTML).end('login'))
  const world = { isEnded: false, isPublic: false, user: undefined, streams: new Set(), sockets: new Set(), asked: [] }
  const server = await listen(context, (request, response) => {
    const path = new URL(request.url, 'http://localhost').pathname
    world.asked.push(`${request.method} ${path}`)
    const json = request.headers.accept === 'application/json'
    if (path === '/.pomerium/user' && world.isPublic) return send(response, [200, JSON_TYPE, '{"sub":"","groups":[]}'])
    if (path === '/.pomerium/user' && world.user && !world.isEnded) return send(response, world.user)
    if (path.startsWith('/.pomerium/sign_out')) return send(response, [200, HTML, 'signed out'])
    if (world.isEnded && !world.isPublic) {
      if (path === '/html-401') return send(response, [401, HTML, '<p>sign in</p>'])
      const unauthenticated = '{"error":"Unauthenticated","request_id":"1"}'
      return json
        ? send(response, [401, JSON_TYPE, unauthenticated])
        : send(response, [302, { Location: login.url }, ''])
    }
    if (path === '/worker.js') return send(response, [200, ANSWERS[path][1], WORKER])
    if (path === '/events')
      return void world.streams.add(response.writeHead(200, ANSWERS[path][1]).write(':\n\n') && response)
    send(response, ANSWERS[path] ?? [404, HTML, 'no such page'])
  })
  const webSockets = new WebSocketServer({ server: server.server })
  webSockets.on('connection', (socket) => world.sockets.add(socket))
  world.url = server.url
  return world
}

/** A service worker that stores what it sees, and answers from its store first; unknown paths get the page. */
const WORKER = `
  addEventListener('install', () => skipWaiting())
  addEventListener('activate', (event) => event.waitUntil(clients.claim()))
  addEventListener('fetch', (event) => event.respondWith((async () => {
    const store = await caches.open('all')
    const stored = await store.match(event.request)
    if (stored) return stored
    const response = await fetch(event.request)
    if (response.ok && event.request.method === 'GET') await store.put(event.request, response.clone())
    return response.ok || new URL(event.request.url).pathname.startsWith('/.pomerium/') ? response : store.match('/')
  })()))`

function send(response, [status, headers, body]) {
  response.writeHead(status, headers)
  response.end(body)
}

async function listen(context, listener) {
  const server = createServer(listener).listen(0, 'localhost')
  await once(server, 'listening')
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { server, url: `http://localhost:${server.address().port}` }
}
