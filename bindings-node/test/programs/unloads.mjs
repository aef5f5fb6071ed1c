// The main thread does not load the addon, so that it is unloaded with each last worker: five that end by themselves, then
// five that are ended, while fetches of theirs hang for another two seconds.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'

const WORKER = new URL('./hangs.mjs', import.meta.url)

for (let round = 0; round < 5; round++) {
  const leaving = new Worker(WORKER, { workerData: { leave: true } })
  const [code] = await once(leaving, 'exit')
  if (code !== 3) throw new Error(`a worker ended with ${code}`)

  const ended = new Worker(WORKER, { workerData: { leave: false } })
  await once(ended, 'message')
  await ended.terminate()
}
await sleep(3000) // the last fetch has ended
