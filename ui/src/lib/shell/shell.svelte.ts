// The core's state as the shell knows it, and the way to ask for something that may fail.

import { core, problemOf } from '../ipc/commands';
import { transport } from '../ipc/transport';
import type { EnvironmentView, Problem, ShellState } from '../ipc/types';

class Shell {
  /** `null` until the core has answered for the first time. */
  state = $state.raw<ShellState | null>(null);
  /** The core did not answer at all. */
  broken = $state.raw<Problem | null>(null);
  /** What went wrong where nothing else is on screen to say it, newest last. */
  failures = $state.raw<{ id: number; problem: Problem }[]>([]);

  #heard = false;
  #nextFailure = 1;

  get selected(): EnvironmentView | null {
    return this.environment(this.state?.selected ?? null);
  }

  environment(id: string | null): EnvironmentView | null {
    return this.state?.environments.find((one) => one.id === id) ?? null;
  }

  /** Listens first, then asks: a state that arrives in between is newer than the answer. */
  async connect(): Promise<() => void> {
    try {
      const stop = await transport().onState((state) => {
        this.#heard = true;
        this.state = state;
      });
      const first = await core.state();
      if (!this.#heard) this.state = first;
      return stop;
    } catch (error) {
      this.broken = problemOf(error);
      return () => undefined;
    }
  }

  /** Runs a command whose failure has no better place than the strip under the bar. */
  async ask(command: Promise<unknown>): Promise<boolean> {
    try {
      await command;
      return true;
    } catch (error) {
      this.failures = [...this.failures, { id: this.#nextFailure++, problem: problemOf(error) }];
      return false;
    }
  }

  dismissFailure(id: number): void {
    this.failures = this.failures.filter((one) => one.id !== id);
  }

  /** For tests: as if the window had just been opened. */
  reset(): void {
    this.state = null;
    this.broken = null;
    this.failures = [];
    this.#heard = false;
  }
}

export const shell = new Shell();

/** The short word for an environment: its tag, else its name. */
export function shortName(environment: EnvironmentView): string {
  return environment.draft.tag || environment.draft.name;
}
