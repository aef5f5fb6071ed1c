// The main thread does not load the addon, so that it is unloaded with each last worker: some that end by themselves, some
// that are ended, while a fetch of theirs hangs for another two seconds.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'

const WORKER = new URL('./hangs.mjs', import.meta.url)

for (const background of [true, true, true, false, false, false]) {
  const leaving = new Worker(WORKER, { workerData: { background, leave: true } })
  const [code] = await once(leaving, 'exit')
  if (code !== 3) throw new Error(`a worker ended with ${code}`)

  const ended = new Worker(WORKER, { workerData: { background, leave: false } })
  await once(ended, 'message')
  await ended.terminate()
}
await sleep(3000) // the last fetch has ended
