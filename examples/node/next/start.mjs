// The application as it is deployed, on any free port if PORT is 0:
// ./prepare && POMERIUM_JWT_ROUTE=https://app.example.com PORT=8000 node start.mjs

import { spawn } from 'node:child_process'
import { createServer } from 'node:net'

const port = Number(process.env.PORT ?? 8000) || (await freePort())

// Room for a token with hundreds of groups; without it Node refuses headers above 16 KiB
const command = ['--max-http-header-size=131072', `${import.meta.dirname}/.next/standalone/server.js`]
const server = spawn(process.execPath, command, {
  env: { ...process.env, PORT: String(port), HOSTNAME: '127.0.0.1' },
  // Standard output is Next.js's own, which says that it is ready before instrumentation.js has run
  stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
})
server.on('message', () => console.log(`http://127.0.0.1:${port}`))
server.on('exit', (code) => (process.exitCode = code ?? 1))
process.on('SIGTERM', () => server.kill())

/** Next.js takes 3000 for 0. */
async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => probe.once('listening', resolve))
  const { port } = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  return port
}
