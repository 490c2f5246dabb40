// How an environment's state is said on the rail: one icon and one phrase.

import type { EnvironmentView, Prompt } from '../ipc/types';

export type Sign = 'active' | 'renewing' | 'signing-in' | 'needs-you' | 'unreachable' | 'signed-out';

export const signWords: Record<Sign, string> = {
  active: 'signed in',
  renewing: 'renewing the session',
  'signing-in': 'signing in',
  'needs-you': 'needs you',
  unreachable: 'unreachable',
  'signed-out': 'signed out',
};

/** What needs the operator comes before what is only so. */
export function signOf(environment: EnvironmentView, prompts: readonly Prompt[]): Sign {
  const { session, connection, held, id } = environment;
  if (prompts.some((prompt) => 'environment' in prompt && prompt.environment === id)) return 'needs-you';
  if (session.status === 'expired' || session.status === 'refused') return 'needs-you';
  if (session.status === 'signed_out' && session.problem) return 'needs-you';
  if (held.some((one) => !one.under_way)) return 'needs-you';
  if (session.status === 'unreachable') return 'unreachable';
  if (connection.status === 'impaired') return 'needs-you';
  if (session.status === 'signing_in') return 'signing-in';
  if (session.status === 'renewing') return 'renewing';
  return session.status === 'signed_out' ? 'signed-out' : 'active';
}

/**
 * Two letters: the initials of two words, else the first two letters of the tag or the name. One that ends in a number
 * keeps its last two digits: what tells `C10` from `C11` is in the end.
 */
export function twoLetters(name: string, tag: string): string {
  const source = tag.trim() || name.trim();
  const number = /^\D.*?(\d{1,2})$/.exec(source)?.[1];
  const words = source.split(/[\s\-_./]+/).filter(Boolean);
  const letters =
    number !== undefined
      ? [[...source][0] ?? '', number]
      : words.length > 1
        ? words.slice(0, 2).map((word) => [...word][0] ?? '')
        : [...source].slice(0, 2);
  return letters.join('').toUpperCase() || '?';
}
