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

/** What quitting drops: `count` actions that wait, of which it cannot be told whether `perhapsDone` were carried out. */
export function notKept(count: number, perhapsDone: number): string {
  const [they, have, them] = count === 1 ? ['It was', 'has', 'it'] : ['They were', 'have', 'them'];
  const lost = `Nothing of ${them} is kept after quitting`;
  if (perhapsDone === 0) return `${they} asked for and ${have} not been done. ${lost}.`;
  if (perhapsDone === count) {
    return `${they} asked for and may have been done already. ${lost}: look before you do ${them} again.`;
  }
  return `${they} asked for. What is marked may have been done already: look before you do it again; the rest has not been done. ${lost}.`;
}

/** What becomes of it, said beside the sign-in that is on screen. */
export function afterSignIn(session: SessionView, count: number): string {
  const [it, is, them] = count === 1 ? ['It', 'is', 'it'] : ['They', 'are', 'them'];
  return goesOn(session)
    ? `Signing in with another account drops ${them}.`
    : `${it} ${is} offered once you are signed in.`;
}
