// Which answers a sign-in needs, and what the operator typed.

import type { Ask, EnvironmentView } from '../ipc/types';
import { methodOf } from '../sign-in-methods/registry';

/** The secrets of the network, which are the same whatever the method. */
export function ofNetwork({ key }: Ask): boolean {
  return (
    ['proxy_password', 'client_key', 'client_key_password'].includes(key) ||
    key.startsWith('header:') ||
    key.startsWith('cookie:')
  );
}

/** A pasted token whose time is up, or that was refused for good, is no way back in: another one has to be typed. */
function usable(environment: EnvironmentView, ask: Ask): boolean {
  return ask.kind !== 'token' || ['signed_out', 'signing_in'].includes(environment.session.status);
}

/** The fields, with what may be left empty. `stored` is so only where leaving it empty uses what is stored. */
export function fieldsOf(environment: EnvironmentView, offered: boolean): (Ask & { needed: boolean })[] {
  const ready = environment.stored_credential.status === 'ready';
  return environment.asks.map((ask) => {
    // A stored token that has a button of its own is not offered again in the field.
    const stored = ask.stored && ready && !(ask.kind === 'token' && offered) && usable(environment, ask);
    return { ...ask, stored, needed: ask.required && !stored };
  });
}

/**
 * Whether what is stored has a button of its own: where the form asks for a token, or for nothing (the operator answers
 * in the browser). Elsewhere the form says of each field whether it may stay empty.
 */
export function offersStored(environment: EnvironmentView): boolean {
  const { stored_credential: stored, session, asks, draft } = environment;
  if (stored.status === 'moved') return true;
  if (stored.status !== 'ready' || !['signed_out', 'refused'].includes(session.status)) return false;
  // A secret of the network that is missing has to be typed all the same.
  if (asks.some((ask) => ask.kind !== 'token' && ask.required && !ask.stored)) return false;
  return asks.some((ask) => ask.kind === 'token') || methodOf(draft.sign_in.method).elsewhere;
}
