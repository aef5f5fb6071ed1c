export async function register() {
  if (process.env.NEXT_RUNTIME === 'nodejs') {
    const { auth } = await import('./auth')
    auth.register() // a wrong configuration stops the start
    process.send?.('ready') // to start.mjs
  }
}
