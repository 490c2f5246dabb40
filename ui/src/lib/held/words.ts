// How actions that wait are counted and spoken of.

import type { SessionView } from '../ipc/types';
import { goesOn } from '../shell/session';

/** "One action waited for you", "3 actions waited for you". */
export function waited(count: number): string {
  return count === 1 ? 'One action waited for you' : `${count} actions waited for you`;
}

/** "1 action waits", "3 actions wait". */
export function waits(count: number): string {
  return count === 1 ? '1 action waits' : `${count} actions wait`;
}

/** "One action is on its way", "3 actions are on their way". */
export function onTheirWay(count: number): string {
  return count === 1 ? 'One action is on its way' : `${count} actions are on their way`;
}

/** What becomes of it, said beside the sign-in that is on screen. */
export function afterSignIn(session: SessionView, count: number): string {
  const [it, is, them] = count === 1 ? ['It', 'is', 'it'] : ['They', 'are', 'them'];
  return goesOn(session)
    ? `Signing in with another account drops ${them}.`
    : `${it} ${is} offered once you are signed in.`;
}
