// Tells the stage how much of the content area the shell needs: once per change, in order.

import { core, problemOf } from '../ipc/commands';
import type { Cover } from '../ipc/types';

/** The sender keeps the last cover and drops repeats. Before a full cover the keyboard comes to the shell. */
export function coverSender(onProblem: (error: unknown) => void = () => undefined) {
  let last = '';
  let wasFull = false;
  let queue: Promise<unknown> = Promise.resolve();
  return (cover: Cover): Promise<unknown> => {
    const key = JSON.stringify(cover);
    if (key === last) return queue;
    last = key;
    const full = cover.kind === 'full';
    const takeFocus = full && !wasFull;
    wasFull = full;
    queue = queue
      .then(async () => {
        // Focus first: a webview that is hidden while it has the focus takes the keyboard with it.
        if (takeFocus) await core.focusShell().catch(() => undefined);
        await core.cover(cover);
      })
      .catch((error: unknown) => onProblem(problemOf(error)));
    return queue;
  };
}
