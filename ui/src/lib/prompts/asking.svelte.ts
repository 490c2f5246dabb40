// The answer to a question while it is on its way: one at a time, and its failure stays beside the question.

import { problemOf } from '../ipc/commands';
import type { Problem } from '../ipc/types';

export class Asking {
  pending = $state(false);
  failure = $state.raw<Problem | null>(null);

  async answer(command: () => Promise<unknown>): Promise<boolean> {
    if (this.pending) return false;
    this.pending = true;
    this.failure = null;
    try {
      await command();
      return true;
    } catch (error) {
      this.failure = problemOf(error);
      return false;
    } finally {
      this.pending = false;
    }
  }
}
