'use client'

/** The signed-in user in React 18 and 19. All components share one request and one answer. */

import { useSyncExternalStore } from 'react'

import { getUser, type PomeriumUser } from './index.mjs'

export type { PomeriumUser } from './index.mjs'

/** What usePomeriumUser gives. */
export interface PomeriumUserState {
  /**
   * Who is signed in, null if nobody is. undefined as long as it is not known: on the server, during hydration, until
   * Pomerium has answered, and again after the back button has brought back a page. **For display, never for a decision.**
   */
  readonly user: PomeriumUser | null | undefined
  /** Why Pomerium could not be asked, until it answers again. `user` is then what was known before. */
  readonly error: unknown
}

/**
 * Who is signed in. Pomerium is asked when the first component that uses it is mounted, and again each time the page is
 * shown: another tab may have signed out.
 *
 * @example
 * const { user, error } = usePomeriumUser()
 * if (user === undefined) return error ? 'Pomerium cannot be reached' : null
 * return user === null ? 'Nobody is signed in' : `Hello ${user.name ?? user.email}`
 */
export function usePomeriumUser(): PomeriumUserState {
  return useSyncExternalStore(subscribe, current, onServer)
}

const UNKNOWN: PomeriumUserState = { user: undefined, error: undefined }

// Of the page; never written on a server, where nothing is mounted
let state = UNKNOWN
// Questions are numbered; the last one that was asked, and the last one whose answer counted
let asked = 0
let answered = 0
const listeners = new Set<() => void>()

function current(): PomeriumUserState {
  return state
}

function onServer(): PomeriumUserState {
  return UNKNOWN
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) {
    addEventListener('pageshow', shown)
    document.addEventListener('visibilitychange', seen)
    // StrictMode mounts twice: the second time an answer is on its way
    if (asked === answered) void ask()
  }
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    removeEventListener('pageshow', shown)
    document.removeEventListener('visibilitychange', seen)
  }
}

/** Asks Pomerium; of several answers, that to the last question counts. */
async function ask(): Promise<void> {
  const question = ++asked
  const next = await getUser().then(
    (user): PomeriumUserState => ({ user, error: undefined }),
    (error: unknown): PomeriumUserState => ({ user: state.user, error }),
  )
  if (question !== asked) return
  answered = question
  set(next)
}

/** The back button brings back a page as it was left, perhaps before a sign-out. */
function shown(event: PageTransitionEvent): void {
  if (!event.persisted) return
  set(UNKNOWN)
  void ask()
}

function seen(): void {
  if (document.visibilityState === 'visible') void ask()
}

function set(next: PomeriumUserState): void {
  // undefined and null differ in an object only
  if (JSON.stringify({ user: next.user }) === JSON.stringify({ user: state.user }) && next.error === state.error) return
  state = next
  for (const listener of listeners) listener()
}
