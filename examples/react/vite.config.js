import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

export default defineConfig({
  plugins: [react()],
  // Only because pomerium-jwt is a link into this repository here, where it has a React of its own for its tests
  resolve: { dedupe: ['react'] },
})
