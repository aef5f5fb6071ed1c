// The React program of the official documentation: the interface as its users write it. js-sdk.test.mjs changes the import
// and nothing else.

import { useEffect, useState } from 'react'
import { PomeriumVerifier, signOut } from '@pomerium/js-sdk'

function App() {
  const [jwt, setJwt] = useState('')

  useEffect(() => {
    const jwtVerifier = new PomeriumVerifier({ issuer: '', audience: '', expirationBuffer: 1000 })
    jwtVerifier
      .verifyBrowserUser()
      .then((r) => setJwt(r))
      .catch((e) => console.log(e))
  }, [])

  return (
    <div style={{ margin: '20px' }}>
      <pre>{JSON.stringify(jwt, null, 2)}</pre>
      <div style={{ marginTop: '20px' }}>
        <button onClick={() => signOut('')} type="button">
          Sign Out Test
        </button>
      </div>
    </div>
  )
}

export default App
