// A page behind Pomerium: who is signed in, what the group may see, and what to do when the session ends.

import { StrictMode, useState } from 'react'
import { createRoot } from 'react-dom/client'

import { pomeriumFetch, SessionEndedError, signInAgain, signOut } from 'pomerium-jwt/browser'
import { usePomeriumUser } from 'pomerium-jwt/react'

import './style.css'

function App() {
  const { user, error } = usePomeriumUser()
  if (user === undefined) return <p role="status">{error ? 'Pomerium does not answer. Try again later.' : 'Loading'}</p>
  if (user === null) return <SignIn reason="You are signed out." />
  return (
    <main>
      <h1>Hello {user.name ?? user.email}</h1>
      <p>You are signed in as {user.email ?? user.subject}.</p>
      {/* Only what is shown depends on it: the server decides who gets the report */}
      {user.groups.includes('admins') && <Report />}
      <button onClick={() => signOut()}>Sign out</button>
    </main>
  )
}

function Report() {
  const [text, setText] = useState('')
  const [isEnded, setIsEnded] = useState(false)

  async function load() {
    try {
      const response = await pomeriumFetch('/api/report', { headers: { Accept: 'application/json' } })
      setText(response.ok ? (await response.json()).report : `The server refused: ${response.status}`)
    } catch (error) {
      if (error instanceof SessionEndedError) setIsEnded(true)
      else setText('The report could not be loaded. Try again later.')
    }
  }

  if (isEnded) return <SignIn reason="Your session has ended." />
  return (
    <section>
      <h2>For admins</h2>
      <button onClick={load}>Load the report</button>
      <p role="status">{text}</p>
    </section>
  )
}

function SignIn({ reason }: { reason: string }) {
  const [isStuck, setIsStuck] = useState(false)
  return (
    <section>
      <p>{reason}</p>
      <button onClick={() => setIsStuck(!signInAgain())}>Sign in again</button>
      {isStuck && <p role="alert">Signing in did not help. Wait ten seconds, then try again.</p>}
    </section>
  )
}

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
