export default {
  // Its native half is loaded from its own folder
  serverExternalPackages: ['pomerium-jwt'],
  output: 'standalone',
  // This folder, whatever lock files are above it
  outputFileTracingRoot: import.meta.dirname,
  // Paths reach proxy.js as they came
  skipTrailingSlashRedirect: true,
  // Even if /public/page is exempt, the handler of /admin verifies
  rewrites: () => ({ beforeFiles: [{ source: '/public/page', destination: '/admin' }] }),
}
