// Verifies a good token and refuses a forged one, 200 times each.
import { parentPort, workerData } from 'node:worker_threads'
import { Verifier } from 'pomerium-jwt'

const { options, subject, token } = workerData
const verifier = new Verifier(options)
const forged = `${token.slice(0, -6)}AAAAAA`
for (let round = 0; round < 200; round++) {
  const identity = await verifier.verify(token)
  if (identity.subject !== subject) throw new Error(`${identity.subject} is not ${subject}`)
  await verifier.verify(forged).then(
    () => Promise.reject(new Error('a forged token was accepted')),
    () => {},
  )
}
parentPort.postMessage(verifier.status().counts)
