// What NestJS has of its own: static files, gateways, exceptions, what comes without the server. Who gets in on real sockets
// is the HTTP suite's.

import 'reflect-metadata'

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { test } from 'node:test'

import { ApolloDriver } from '@nestjs/apollo'
import { All, Controller, Module, UseGuards } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { GraphQLModule, Query, Resolver, Subscription } from '@nestjs/graphql'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { IoAdapter } from '@nestjs/platform-socket.io'
import { WsAdapter } from '@nestjs/platform-ws'
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets'
import express from 'express'
import { requireGroup as demandGroup } from 'pomerium-jwt'
import { Caller, protect, requireGroup, requireUser } from 'pomerium-jwt/nest'
import { TestIssuer } from 'pomerium-jwt/testing'
import { io as connect } from 'socket.io-client'
import { WebSocket } from 'ws'

import { ask, listen } from './servers.mjs'

const issuer = new TestIssuer()
const silent = { ...issuer.options, onRefused() {} }
const refused = (code, status = 401) => [status, { error: code }]
const ADAPTERS = { Express: () => new ExpressAdapter(), Fastify: () => new FastifyAdapter() }

/** A class with decorated methods: what TypeScript makes of `@First() @Second() name(@Parameter() first) {}`. */
function decorated(decorator, methods) {
  const Made = class {}
  for (const [name, [body, decorators, parameters = []]] of Object.entries(methods)) {
    Made.prototype[name] = body
    for (const one of decorators) one(Made.prototype, name, Object.getOwnPropertyDescriptor(Made.prototype, name))
    parameters.forEach((one, index) => one?.(Made.prototype, name, index))
  }
  decorator(Made)
  return Made
}

const Pages = decorated(Controller(), {
  user: [(caller) => caller.subject, [All('user')], [Caller()]],
  anybody: [(caller) => caller?.subject ?? 'nobody', [All('anybody')], [Caller({ optional: true })]],
  admin: [() => 'reached', [All('admin'), UseGuards(requireGroup('secret-group'))]],
  guarded: [() => 'reached', [All('guarded'), UseGuards(requireUser)]],
  thrown: [(caller) => demandGroup(caller, 'secret-group'), [All('thrown')], [Caller()]],
})

async function nest(adapter, providers = [], imports = []) {
  const App = class {}
  Module({ controllers: [Pages], providers, imports })(App)
  return NestFactory.create(App, adapter, { logger: false })
}

/** A running application, and what it answers. */
async function serve(context, adapter, { options = {}, prepare = () => {}, providers, imports } = {}) {
  const app = await nest(adapter, providers, imports)
  context.after(() => app.close())
  const { verifier } = protect(app, { ...silent, ...options })
  prepare(app)
  await app.listen(0, '127.0.0.1')
  const { port } = app.getHttpServer().address()
  const get = async (path, headers, method) => {
    const { status, body } = await ask(port, path, headers, method)
    return [status, body]
  }
  return { app, port, get, verifier }
}

for (const [name, adapter] of Object.entries(ADAPTERS)) {
  test(`${name}: unknown paths are covered, and refusals say their code alone`, async (context) => {
    const { get } = await serve(context, adapter(), { options: { exemptPaths: ['/anybody', '/user', '/guarded'] } })
    for (const [path, headers, expected, method] of [
      ['/nowhere', {}, refused('token_missing')],
      ['/admin', {}, refused('token_missing'), 'OPTIONS'],
      ['/user', issuer.headers(), refused('token_missing')],
      ['/guarded', {}, refused('token_missing')],
      ['/anybody', {}, [200, 'nobody']],
      ['/anybody/', {}, refused('token_missing')],
      ['//anybody', {}, refused('token_missing')],
      ['/admin', issuer.headers(), refused('group_required', 403)],
      ['/thrown', issuer.headers(), refused('group_required', 403)],
      ['/admin', issuer.headers({ groups: ['secret-group'] }), [200, 'reached'], 'POST'],
    ]) {
      assert.deepEqual(await get(path, headers, method), expected, path)
    }
    assert.equal((await get('/nowhere', issuer.headers()))[0], 404)
  })

  test(`${name}: errorHandler renders a guard's refusal, and a hook that fails is a 500`, async (context) => {
    context.mock.method(console, 'error', () => {})
    const errorHandler = ({ code }) => ({ contentType: 'text/plain', body: `no: ${code}` })
    const { get } = await serve(context, adapter(), { options: { errorHandler } })
    assert.deepEqual(await get('/admin', issuer.headers()), [403, 'no: group_required'])
    assert.deepEqual(await get('/', {}), [401, 'no: token_missing'])
    const failing = { onRefused: () => assert.fail('a secret of the hook') }
    const other = await serve(context, adapter(), { options: failing })
    for (const path of ['/admin', '/nowhere']) {
      assert.deepEqual(await other.get(path, path === '/admin' ? issuer.headers() : {}), refused('internal', 500))
    }
  })

  test(`${name}: listeners added to the server are covered, for Expect: 100-continue too`, async (context) => {
    const reached = []
    const prepare = (app) => {
      for (const event of ['request', 'checkContinue', 'upgrade', 'connect']) {
        app.getHttpServer().prependListener(event, ({ url }) => reached.push(`${event} ${url}`))
      }
    }
    const { port } = await serve(context, adapter(), { prepare })
    for (const headers of [{}, { Expect: '100-continue' }, { Connection: 'Upgrade', Upgrade: 'websocket' }]) {
      const { status, body } = await ask(port, '/user', headers)
      assert.deepEqual([status, body], refused('token_missing'))
    }
    const tunnel = request({ port, host: '127.0.0.1', method: 'CONNECT', path: 'x:1' }).end()
    assert.equal((await once(tunnel, 'connect'))[0].statusCode, 401)
    assert.deepEqual(reached, [])
    await ask(port, '/user', issuer.headers())
    assert.deepEqual(reached, ['request /user'])
  })
}

test('Express: static files are covered, also those that were there before', async (context) => {
  const app = await nest(new ExpressAdapter())
  context.after(() => app.close())
  app.use(express.static(import.meta.dirname))
  protect(app, silent)
  await app.listen(0, '127.0.0.1')
  const { port } = app.getHttpServer().address()
  assert.equal((await ask(port, '/nest.test.mjs')).status, 401)
  assert.equal((await ask(port, '/nest.test.mjs', issuer.headers())).status, 200)
})

test('without the server, as on a serverless platform, nothing passes either', async (context) => {
  const onFastify = await nest(new FastifyAdapter())
  context.after(() => onFastify.close())
  protect(onFastify, silent)
  await onFastify.init()
  assert.equal((await onFastify.inject('/anybody')).statusCode, 401)
  assert.equal((await onFastify.inject({ url: '/anybody', headers: issuer.headers() })).body, 'alice')
  const onExpress = await nest(new ExpressAdapter())
  protect(onExpress, silent)
  await onExpress.init()
  const port = await listen(context, onExpress.getHttpAdapter().getInstance())
  assert.equal((await ask(port, '/anybody')).status, 401)
  assert.equal((await ask(port, '/anybody', issuer.headers())).body, 'alice')
})

test('wrong options stop the start; without protect, nobody is called anything', async (context) => {
  const app = await nest(new ExpressAdapter())
  assert.throws(() => protect(app, { ...silent, exemptPath: '/' }), { code: 'invalid_options' })
  await app.listen(0, '127.0.0.1')
  context.after(() => app.close())
  const { port } = app.getHttpServer().address()
  for (const path of ['/user', '/anybody', '/admin']) {
    const { status, body } = await ask(port, path, issuer.headers({ groups: ['secret-group'] }))
    assert.deepEqual([status, body.message], [500, 'Internal server error'], path)
  }
})

const messages = {
  whoami: [({ subject }) => ({ event: 'me', data: subject }), [SubscribeMessage('whoami')], [Caller()]],
  admin: [
    () => ({ event: 'me', data: 'reached' }),
    [UseGuards(requireGroup('secret-group')), SubscribeMessage('admin')],
  ],
}

for (const [name, adapter] of Object.entries(ADAPTERS)) {
  test(`${name}: a gateway of ws knows its caller`, async (context) => {
    const Gateway = decorated(WebSocketGateway({ path: '/ws' }), messages)
    const prepare = (app) => app.useWebSocketAdapter(new WsAdapter(app))
    const { port } = await serve(context, adapter(), { providers: [Gateway], prepare, options: { exemptPaths: '/ws' } })
    const refusal = new WebSocket(`ws://127.0.0.1:${port}/ws`)
    assert.match((await once(refusal, 'error'))[0].message, /401/)
    const client = new WebSocket(`ws://127.0.0.1:${port}/ws`, { headers: issuer.headers() })
    context.after(() => client.terminate())
    await once(client, 'open')
    const said = async (event) => {
      client.send(JSON.stringify({ event }))
      return JSON.parse((await once(client, 'message'))[0])
    }
    assert.deepEqual(await said('whoami'), { event: 'me', data: 'alice' })
    const denied = JSON.stringify(await said('admin'))
    assert.doesNotMatch(denied, /secret-group|reached/)
  })

  test(`${name}: a gateway of Socket.IO knows its caller, and polling is covered`, async (context) => {
    const Gateway = decorated(WebSocketGateway(), messages)
    const prepare = (app) => app.useWebSocketAdapter(new IoAdapter(app))
    const { port } = await serve(context, adapter(), { providers: [Gateway], prepare })
    assert.equal((await ask(port, '/socket.io/?EIO=4&transport=polling')).status, 401)
    for (const transports of [['polling'], ['websocket']]) {
      const open = (extraHeaders) => {
        const client = connect(`http://127.0.0.1:${port}`, { transports, extraHeaders, reconnection: false })
        context.after(() => client.close())
        return client
      }
      await once(open({}), 'connect_error')
      const client = open(issuer.headers())
      client.emit('whoami')
      assert.deepEqual(await once(client, 'me'), ['alice'])
      client.emit('admin')
      assert.doesNotMatch(JSON.stringify(await once(client, 'exception')), /secret-group/)
    }
  })
}

const Resolvers = decorated(Resolver(), {
  me: [({ subject }) => subject, [Query('me')], [Caller()]],
  anybody: [(caller) => caller?.subject ?? 'nobody', [Query('anybody')], [Caller({ optional: true })]],
  admin: [() => 'reached', [Query('admin'), UseGuards(requireGroup('secret-group'))]],
  guarded: [() => 'reached', [Query('guarded'), UseGuards(requireUser)]],
  thrown: [(caller) => demandGroup(caller, 'secret-group').subject, [Query('thrown')], [Caller()]],
  mine: [
    async function* ({ subject }) {
      yield { mine: subject }
    },
    [Subscription('mine')],
    [Caller()],
  ],
})
const graphql = () =>
  GraphQLModule.forRoot({
    driver: ApolloDriver,
    typeDefs: `type Query { me: String, anybody: String, admin: String, guarded: String, thrown: String }
      type Subscription { mine: String }`,
    subscriptions: { 'graphql-ws': true },
  })

for (const [name, adapter] of Object.entries(ADAPTERS)) {
  test(`${name}: a resolver of GraphQL knows its caller, and a guard refuses`, async (context) => {
    const { port, get } = await serve(context, adapter(), { providers: [Resolvers], imports: [graphql()] })
    const query = async (field, headers) => {
      const body = JSON.stringify({ query: `{ ${field} }` })
      const type = { 'Content-Type': 'application/json' }
      const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
        ...{ method: 'POST', headers: { ...type, ...headers }, body },
      })
      return [response.status, await response.json()]
    }
    assert.deepEqual(await query('me', {}), refused('token_missing'))
    assert.deepEqual(await query('me', { 'X-Pomerium-Jwt-Assertion': issuer.expired() }), refused('token_expired'))
    assert.deepEqual(await get('/graphql?query={me}'), refused('token_missing'))
    for (const field of ['me', 'anybody']) {
      assert.deepEqual(await query(field, issuer.headers()), [200, { data: { [field]: 'alice' } }])
    }
    for (const field of ['admin', 'thrown']) {
      const [, { data, errors }] = await query(field, issuer.headers())
      assert.deepEqual([data, errors.map(({ message }) => message)], [{ [field]: null }, ['group_required']])
      assert.doesNotMatch(JSON.stringify(errors), /secret-group/)
      const admin = await query(field, issuer.headers({ groups: ['secret-group'] }))
      assert.deepEqual(admin, [200, { data: { [field]: field === 'admin' ? 'reached' : 'alice' } }])
    }

    const client = (headers) => {
      const webSocket = new WebSocket(`ws://127.0.0.1:${port}/graphql`, 'graphql-transport-ws', { headers })
      context.after(() => webSocket.terminate())
      return webSocket
    }
    assert.match((await once(client({}), 'error'))[0].message, /401/)
    const webSocket = client(issuer.headers())
    await once(webSocket, 'open')
    webSocket.send(JSON.stringify({ type: 'connection_init' }))
    await once(webSocket, 'message')
    webSocket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: 'subscription { mine }' } }))
    const { payload } = JSON.parse((await once(webSocket, 'message'))[0])
    assert.deepEqual(payload, { data: { mine: 'alice' } })
  })

  test(`${name}: where a request passes without a token, resolvers and guards ask who it is`, async (context) => {
    const options = { optional: true }
    const { get } = await serve(context, adapter(), { providers: [Resolvers], imports: [graphql()], options })
    const type = { 'Content-Type': 'application/json' }
    assert.deepEqual(await get('/graphql?query={anybody}', type), [200, { data: { anybody: 'nobody' } }])
    for (const field of ['me', 'guarded', 'admin']) {
      const [, { errors, data }] = await get(`/graphql?query={${field}}`, type)
      assert.deepEqual([data, errors.map(({ message }) => message)], [{ [field]: null }, ['token_missing']])
    }
  })
}
