// The application as it is deployed, on any free port if PORT is 0:
// ./prepare && POMERIUM_JWT_ROUTE=https://app.example.com PORT=8000 node start.mjs

import { spawn } from 'node:child_process'
import { createServer } from 'node:net'

const wanted = Number(process.env.PORT ?? 8000)
const port = wanted || (await freePort())

// Room for a token with hundreds of groups; without it Node refuses headers above 16 KiB
const command = ['--max-http-header-size=131072', `${import.meta.dirname}/.next/standalone/server.js`]
const env = { ...process.env, PORT: String(port), HOSTNAME: '127.0.0.1' }
const server = spawn(process.execPath, command, {
  env,
  stdio: ['ignore', 'pipe', 'inherit'],
})
server.stdout.on('data', (chunk) => {
  process.stderr.write(chunk)
  if (String(chunk).includes('Ready')) void announce()
})
server.on('exit', (code) => (process.exitCode = code ?? 1))
process.on('SIGTERM', () => server.kill())

/** Next.js says that it is ready before instrumentation.js has run. */
async function announce() {
  const url = `http://127.0.0.1:${port}`
  while (server.exitCode === null) {
    const answer = await fetch(url).catch(() => new Promise((resolve) => setTimeout(resolve, 50)))
    if (answer) return console.log(url)
  }
}

/** Next.js takes 3000 for 0. */
async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => probe.once('listening', resolve))
  const { port } = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  return port
}
