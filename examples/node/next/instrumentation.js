// A wrong configuration stops the start
export async function register() {
  if (process.env.NEXT_RUNTIME === 'nodejs') {
    const { auth } = await import('./auth')
    auth.register()
    process.send?.('ready') // to start.mjs
  }
}
