// What came of trying to sign in, per environment, so that looking at another one loses nothing. Never an answer: they
// are handed over once, by whoever typed them.

import { SvelteMap } from 'svelte/reactivity';

import { core, problemOf } from '../ipc/commands';
import type { Problem, SignInOutcome } from '../ipc/types';

export interface Attempt {
  /** A command is on its way. */
  pending: boolean;
  outcome: SignInOutcome | null;
  /** The command itself failed. */
  failure: Problem | null;
}

const NOTHING: Attempt = { pending: false, outcome: null, failure: null };

class Attempts {
  #byEnvironment = new SvelteMap<string, Attempt>();

  of(environment: string): Attempt {
    return this.#byEnvironment.get(environment) ?? NOTHING;
  }

  /** Runs one step of a sign-in and keeps what it answers. A second one at the same time is not begun. */
  async #run(environment: string, step: () => Promise<SignInOutcome | null>): Promise<void> {
    if (this.of(environment).pending) return;
    this.#byEnvironment.set(environment, { ...NOTHING, pending: true });
    try {
      this.#byEnvironment.set(environment, { ...NOTHING, outcome: await step() });
    } catch (error) {
      this.#byEnvironment.set(environment, { ...NOTHING, failure: problemOf(error) });
    }
  }

  withAnswers(environment: string, answers: Record<string, string>): Promise<void> {
    return this.#run(environment, () => core.signIn(environment, answers));
  }

  confirm(environment: string, attempt: string): Promise<void> {
    return this.#run(environment, () => core.confirmSignIn(environment, attempt));
  }

  withStored(environment: string): Promise<void> {
    return this.#run(environment, () => core.signInWithStored(environment));
  }

  approve(environment: string): Promise<void> {
    return this.#run(environment, async () => {
      await core.acceptApprovals(environment);
      return null;
    });
  }

  useMoved(environment: string): Promise<void> {
    return this.#run(environment, async () => {
      await core.confirmStored(environment);
      return null;
    });
  }

  forgetMoved(environment: string): Promise<void> {
    return this.#run(environment, async () => {
      await core.forgetStored(environment);
      return null;
    });
  }

  /** Also while a step is on its way: the core then answers that step with `cancelled`. */
  async cancel(environment: string): Promise<void> {
    const before = this.of(environment);
    try {
      await core.cancelSignIn(environment);
      if (!this.of(environment).pending) this.#byEnvironment.delete(environment);
    } catch (error) {
      this.#byEnvironment.set(environment, { ...before, failure: problemOf(error) });
    }
  }

  forget(environment: string): void {
    this.#byEnvironment.delete(environment);
  }

  clear(): void {
    this.#byEnvironment.clear();
  }
}

export const attempts = new Attempts();
