// What the shell knows of a way to sign in: its words, its settings' form, and what a fresh one starts as.

import type { Component } from 'svelte';

import type { EnvironmentDraft, SignInMethod } from '../ipc/types';

export type MethodName = SignInMethod['method'];
export type SettingsOf<M extends MethodName> = Extract<SignInMethod, { method: M }>;

/** What an explanation beside a sign-in form can speak of. */
export interface Place {
  /** Of the admin. */
  host: string;
  draft: EnvironmentDraft;
  /** "kept in this computer’s keychain", or what is so in its stead. */
  kept: string;
}

export interface Method {
  method: MethodName;
  words: string;
  /** One line, for the chooser. */
  meaning: string;
  /** As the `Default` of the core's settings. */
  defaults: () => SignInMethod;
  /** Its settings; `null`: it has none. */
  form: Component | null;
  /** The word on the button. */
  primary: string;
  /** The sentence under "Sign in to PROD". */
  asking: string;
  /** What is being done until there is a step, or an answer. */
  trying: (place: Place) => string;
  /** Where the answers go and where they stay; empty: nothing is asked. */
  goes: (place: Place) => string;
  /** What the vault holds after a sign-in, as "Keep … in the keychain" says it; `null`: nothing. */
  kept: string | null;
  /** Why somebody would keep it: "to sign in again without …". */
  without: string;
  /** Its credential is a token, which says who you are and when it ends. */
  token: boolean;
  /** A session of it ends by itself. */
  ends: boolean;
  /** It asks the operator elsewhere than in the shell: what is stored is another way in, offered beside it. */
  elsewhere: boolean;
  /** What remains true at the other side after a sign-out; empty: nothing to say. */
  afterSignOut: string;
}

/** `https://id.acme.example/x` → `id.acme.example`. */
export function hostOf(url: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\/([^/?#]+)/i.exec(url.trim())?.[1] ?? url.trim();
}
