// What a session's states have in common, for everything that shows one.

import type { EnvironmentView, IdentityView, SessionView, ShellState } from '../ipc/types';

/** Somebody is signed in and goes on without doing anything, though the other side may not answer just now. */
export function goesOn({ status }: SessionView): boolean {
  return status === 'active' || status === 'renewing' || status === 'unreachable';
}

/** There is a page to show, or one is on its way: the stage may be the dashboard's. */
export function hasDashboard({ session, page }: EnvironmentView): boolean {
  return goesOn(session) && (session.status !== 'unreachable' || page !== null);
}

/** Who is signed in now. */
export function identityOf(session: SessionView): IdentityView | null {
  switch (session.status) {
    case 'active':
    case 'renewing':
    case 'unreachable':
      return session.identity;
    default:
      return null;
  }
}

/** When the credential in use ends; `null`: none is in use, or nobody says. */
export function expiresAtOf(session: SessionView): number | null {
  switch (session.status) {
    case 'active':
    case 'renewing':
    case 'unreachable':
      return session.expires_at;
    default:
      return null;
  }
}

/** There is something to end: a session, or what is kept for the next one. */
export function signedInSomewhere(state: ShellState | null): boolean {
  return (state?.environments ?? []).some(
    ({ session, stored_credential }) =>
      session.status !== 'signed_out' || stored_credential.status !== 'none',
  );
}
