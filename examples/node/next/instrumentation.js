// A wrong configuration stops the start
export async function register() {
  if (process.env.NEXT_RUNTIME !== 'nodejs') return
  const { auth } = await import('./auth')
  auth.register()
}
