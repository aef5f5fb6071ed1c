// The application on Koa:
// POMERIUM_JWT_ROUTE=https://app.example.com PORT=8000 node koa.mjs

import { createServer } from 'node:http'

import cors from '@koa/cors'
import Koa from 'koa'
import { pomerium, requireGroup } from 'pomerium-jwt/koa'

import { announce } from './routes.mjs'

const { PORT = '8000', CORS_ORIGIN, REWRITE } = process.env
const app = new Koa()

// In front of pomerium(): answers preflights, and lets the browser read refusals too
if (CORS_ORIGIN) app.use(cors({ origin: CORS_ORIGIN, allowMethods: 'DELETE', allowHeaders: 'Authorization' }))
if (REWRITE) {
  const [from, to] = REWRITE.split('=')
  app.use((ctx, next) => {
    if (ctx.path === from) ctx.url = to
    return next()
  })
}

const protect = pomerium()
app.use(protect) // from here on every request is verified

const adminsOnly = requireGroup('admins')
const json = (ctx, content) => {
  ctx.type = 'application/json'
  ctx.body = JSON.stringify(content)
}
app.use((ctx, next) => {
  const { pomerium: identity } = ctx.state
  const pages = {
    '/': () => json(ctx, identity ?? null),
    '/admin': () => adminsOnly(ctx, () => json(ctx, identity)),
    '/health': () => json(ctx, protect.verifier.health()),
  }
  const isPage = ['GET', 'HEAD'].includes(ctx.method) && Object.hasOwn(pages, ctx.path)
  return isPage ? pages[ctx.path]() : next()
})
app.use((ctx) => json(ctx, { reached: true, subject: ctx.state.pomerium?.subject ?? null }))

const server = createServer({ maxHeaderSize: 131_072 }, app.callback())
server.listen(Number(PORT), '127.0.0.1', announce(server))
