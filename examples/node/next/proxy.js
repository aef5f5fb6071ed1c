// Refuses early, static files and unknown paths included. Every handler and page verifies again
import { auth } from './auth'

export const proxy = auth.proxy
