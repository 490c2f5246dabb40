// An environment while it is edited: the draft, what the core said of it, and what was chosen before.

import { getContext, setContext, untrack } from 'svelte';
import { SvelteMap, SvelteSet } from 'svelte/reactivity';

import type { DraftReport, EnvironmentDraft, SignInMethod } from '../ipc/types';
import type { Method, MethodName, SettingsOf } from '../sign-in-methods/method';
import { effective } from './draft';

const KEY = Symbol('editing');

export class Editing {
  draft: EnvironmentDraft;
  readonly touched = new SvelteSet<string>();
  report = $state.raw<DraftReport | null>(null);
  /** What cannot even be sent to the core, by field. */
  readonly unsendable = new SvelteMap<string, string>();
  /** The fields are made anew with each. */
  revision = $state(0);

  /** Settings of methods that were chosen before, so that a look at another one loses nothing. */
  #before = new SvelteMap<MethodName, SignInMethod>();

  constructor(draft: EnvironmentDraft) {
    this.draft = $state(structuredClone(draft));
  }

  /** The draft as it would be sent, in one piece. */
  get meant(): EnvironmentDraft {
    return effective($state.snapshot(this.draft));
  }

  /** The method's settings, to be bound to. Only its own form asks, which is shown while it is the chosen one. */
  settings<M extends MethodName>(): SettingsOf<M> {
    return this.draft.sign_in as SettingsOf<M>;
  }

  errorOf(field: string): string | undefined {
    if (!this.touched.has(field)) return undefined;
    const why = this.unsendable.get(field);
    if (why !== undefined) return why;
    const said = this.report?.errors.filter((one) => one.field === field).map((one) => one.message) ?? [];
    return said.length > 0 ? said.filter((one, index) => said.indexOf(one) === index).join(' ') : undefined;
  }

  touch(field: string): void {
    untrack(() => this.touched.add(field));
  }

  /** Says why what was typed cannot be sent, or that it can. */
  sendable(field: string, why: string | null): void {
    if (why === null) this.unsendable.delete(field);
    else this.unsendable.set(field, why);
  }

  /** Another method, with what was typed for it before, or with its defaults. */
  choose({ method, defaults }: Method): void {
    const now = $state.snapshot(this.draft.sign_in);
    if (now.method === method) return;
    this.#before.set(now.method, now);
    this.#put(this.#before.get(method) ?? defaults());
  }

  /** The same, with some of its settings known. */
  propose(method: Method, known: Record<string, string>): void {
    this.choose(method);
    this.#put({ ...$state.snapshot(this.draft.sign_in), ...known } as SignInMethod);
  }

  replace(draft: EnvironmentDraft): void {
    Object.assign(this.draft, structuredClone(draft));
    this.#before.clear();
    this.touched.clear();
    this.unsendable.clear();
    this.revision += 1;
  }

  #put(settings: SignInMethod): void {
    for (const field of [...this.touched, ...this.unsendable.keys()]) {
      if (!field.startsWith('sign_in.')) continue;
      this.touched.delete(field);
      this.unsendable.delete(field);
    }
    this.draft.sign_in = settings;
  }
}

export function provideEditing(editing: Editing): Editing {
  return setContext(KEY, editing);
}

export function useEditing(): Editing {
  return getContext<Editing>(KEY);
}
