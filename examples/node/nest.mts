// The application on NestJS, on Express or, with the argument fastify, on Fastify, with WebSockets at /ws:
// POMERIUM_JWT_ROUTE=https://app.example.com PORT=8000 node --import tsx nest.mts

import 'reflect-metadata'

import type { IncomingMessage } from 'node:http'

import {
  type ArgumentsHost,
  Catch,
  Controller,
  type ExceptionFilter,
  Get,
  Header,
  Module,
  NotFoundException,
  UseGuards,
} from '@nestjs/common'
import { HttpAdapterHost, NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { WsAdapter } from '@nestjs/platform-ws'
import { WebSocketGateway } from '@nestjs/websockets'
import cors from 'cors'
import type { Identity } from 'pomerium-jwt'
import { Caller, protect, requireGroup } from 'pomerium-jwt/nest'
import type { WebSocket } from 'ws'

const { PORT = '8000', CORS_ORIGIN, REWRITE } = process.env

@Controller()
class Pages {
  @Get()
  @Header('Content-Type', 'application/json')
  me(@Caller({ optional: true }) identity?: Identity) {
    return JSON.stringify(identity ?? null)
  }

  @Get('admin')
  @UseGuards(requireGroup('admins'))
  admin(@Caller() identity: Identity) {
    return identity
  }

  @Get('health')
  health() {
    return verifier.health()
  }
}

@WebSocketGateway({ path: '/ws' })
class Greeter {
  handleConnection(webSocket: WebSocket, request: IncomingMessage) {
    webSocket.send(request.pomerium?.subject ?? '')
    webSocket.close()
  }
}

/** The answer to every unknown path. */
@Catch(NotFoundException)
class Fallback implements ExceptionFilter {
  catch(_: NotFoundException, host: ArgumentsHost) {
    const http = host.switchToHttp()
    const request = http.getRequest()
    const { pomerium: identity } = request.raw ?? request
    adapter.reply(http.getResponse(), { reached: true, subject: identity?.subject ?? null }, 200)
  }
}

@Module({ controllers: [Pages], providers: [Greeter] })
class App {}

const [from, to] = REWRITE?.split('=') ?? []
const rewritten = (url = '') => (from && to && url.split('?')[0] === from ? to : url)
const onFastify = process.argv[2] === 'fastify'
const platform = onFastify ? new FastifyAdapter({ rewriteUrl: ({ url }) => rewritten(url) }) : new ExpressAdapter()
const app = await NestFactory.create(App, platform, { logger: ['error', 'warn'] })
const { httpAdapter: adapter } = app.get(HttpAdapterHost)

if (!onFastify) {
  app.use((request: IncomingMessage, _: unknown, next: () => void) => {
    request.url = rewritten(request.url)
    next()
  })
}
// In front of it: answers preflights, and lets the browser read refusals too
const before = CORS_ORIGIN ? [cors({ origin: CORS_ORIGIN, methods: 'DELETE', allowedHeaders: 'Authorization' })] : []
const { verifier } = protect(app, {}, ...before) // every request is verified

app.useWebSocketAdapter(new WsAdapter(app))
app.useGlobalFilters(new Fallback())
// Room for a token with hundreds of groups; without it Node refuses headers above 16 KiB
app.getHttpServer().maxHeaderSize = 131_072
await app.listen(Number(PORT), '127.0.0.1')
console.log(`http://127.0.0.1:${app.getHttpServer().address().port}`)
