// Decides what the content area shows, from the core's state and what the operator opened. Nothing else decides it:
// the cover of the dashboard follows from here.

import type { Cover, EnvironmentView, Prompt, ShellState } from '../ipc/types';
import { hasDashboard, identityOf } from './session';

/** What the operator opened by hand; it comes before everything that the state asks for. */
export type Opened =
  | { kind: 'environment'; id: string | null }
  | { kind: 'identity' }
  | { kind: 'history' }
  | { kind: 'about' }
  | { kind: 'keychain' };

export type Screen =
  | { kind: 'loading' }
  | { kind: 'broken' }
  | { kind: 'environment'; id: string | null }
  | { kind: 'about' }
  | { kind: 'identity'; environment: EnvironmentView }
  | { kind: 'history'; environment: EnvironmentView }
  | { kind: 'doctor'; environment: EnvironmentView }
  | { kind: 'settings-problem' }
  | { kind: 'keychain' }
  | { kind: 'first-run' }
  | { kind: 'choose' }
  | { kind: 'sign-in'; environment: EnvironmentView }
  | { kind: 'unreachable'; environment: EnvironmentView }
  | { kind: 'dashboard'; environment: EnvironmentView };

/** A question that stops everything else. */
export type Question =
  | { kind: 'sign_out'; environment: EnvironmentView }
  | { kind: 'sign_out_all' }
  | { kind: 'quit' }
  | { kind: 'copy_token'; environment: EnvironmentView }
  | { kind: 'third_parties'; environment: EnvironmentView }
  | { kind: 'open_external'; environment: EnvironmentView | null; prompt: Prompt & { kind: 'open_external' } }
  | { kind: 'remove'; environment: EnvironmentView };

export function signInPrompted(state: ShellState, id: string): boolean {
  return state.prompts.some((prompt) => prompt.kind === 'sign_in' && prompt.environment === id);
}

/**
 * In this order: the core is silent; what the operator opened, the doctor last; settings that cannot be read (when
 * nothing could be shown); no keychain (unless a live dashboard would be hidden for it); nothing added yet; nothing
 * chosen; a sign-in that was asked for; unreachable before the first page; sign-in; the dashboard.
 */
export function screenFor(state: ShellState | null, opened: Opened | null, broken = false): Screen {
  if (broken) return { kind: 'broken' };
  if (!state) return { kind: 'loading' };
  const selected = state.environments.find((one) => one.id === state.selected) ?? null;

  if (opened?.kind === 'about' || opened?.kind === 'keychain') return { kind: opened.kind };
  if (opened?.kind === 'environment') {
    const gone = opened.id !== null && !state.environments.some((one) => one.id === opened.id);
    if (!gone) return opened;
  }
  if (opened?.kind === 'identity' && selected && identityOf(selected.session)) {
    return { kind: 'identity', environment: selected };
  }
  if (opened?.kind === 'history' && selected) return { kind: 'history', environment: selected };
  if (selected?.doctor) return { kind: 'doctor', environment: selected };

  if (state.settings_problem && state.environments.length === 0) return { kind: 'settings-problem' };
  const undecided = state.keychain.status === 'unavailable' && !state.keychain.memory_allowed;
  if (undecided && !(selected && hasDashboard(selected))) return { kind: 'keychain' };
  if (state.environments.length === 0) return { kind: 'first-run' };
  if (!selected) return { kind: 'choose' };
  if (signInPrompted(state, selected.id)) return { kind: 'sign-in', environment: selected };
  if (hasDashboard(selected)) return { kind: 'dashboard', environment: selected };
  if (selected.session.status === 'unreachable') return { kind: 'unreachable', environment: selected };
  return { kind: 'sign-in', environment: selected };
}

/** The oldest prompt that is a question, else the removal that the operator asked for. */
export function questionFor(state: ShellState | null, removing: string | null): Question | null {
  if (!state) return null;
  const byId = (id: string) => state.environments.find((one) => one.id === id) ?? null;
  for (const prompt of state.prompts) {
    if (prompt.kind === 'open_external') {
      return { kind: 'open_external', environment: byId(prompt.environment), prompt };
    }
    if (prompt.kind === 'sign_out_all' || prompt.kind === 'quit') return { kind: prompt.kind };
    if (prompt.kind === 'sign_out' || prompt.kind === 'copy_token') {
      const environment = byId(prompt.environment);
      if (environment) return { kind: prompt.kind, environment };
    }
    // What another dashboard's pages want can wait until it is looked at.
    if (prompt.kind === 'third_parties' && prompt.environment === state.selected) {
      const environment = byId(prompt.environment);
      if (environment) return { kind: prompt.kind, environment };
    }
  }
  const environment = removing === null ? null : byId(removing);
  return environment && { kind: 'remove', environment };
}

/** How much of the content area the shell needs. `strip` is the height of what lies under the bar. */
export function coverFor(screen: Screen, question: Question | null, strip: number): Cover {
  if (question || screen.kind !== 'dashboard') return { kind: 'full' };
  return strip > 0 ? { kind: 'strip', height: strip } : { kind: 'none' };
}
