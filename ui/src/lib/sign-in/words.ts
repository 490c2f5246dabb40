// The sign-in panel's title, and why it is there.

import type { EnvironmentView, IdentityView, Problem } from '../ipc/types';
import { identityOf } from '../shell/session';
import { shortName } from '../shell/shell.svelte';
import { methodOf } from '../sign-in-methods/registry';
import { shortTime } from '../time/format';

export interface Why {
  title: string;
  /** One paragraph each. */
  body: string[];
  code: string | null;
  /** What the token said, where it helps to show it. */
  identity: IdentityView | null;
  /** The claims are the point, not an aside. */
  showClaims: boolean;
  /** What stood in the way of going on without the operator. */
  problem: Problem | null;
}

function from(problem: Problem): Pick<Why, 'title' | 'body' | 'code'> {
  return {
    title: problem.title,
    body: [problem.detail, problem.advice].filter(Boolean),
    code: problem.code,
  };
}

export function whyOf(environment: EnvironmentView, now: number): Why {
  const { session } = environment;
  const name = shortName(environment);
  const method = methodOf(environment.draft.sign_in.method);
  const nothing = { identity: null, showClaims: false, code: null, body: [], problem: null };
  switch (session.status) {
    case 'expired':
      return {
        ...nothing,
        title: `Your session on ${name} ended at ${shortTime(session.at, now)}`,
        body: [
          method.token
            ? 'The token’s time was up. Sign in to go on where you were.'
            : 'Its time was up, or the admin ended it. Sign in to go on where you were.',
        ],
        code: 'expired',
        identity: session.identity,
        problem: session.problem,
      };
    case 'refused':
      return {
        ...nothing,
        ...from(session.problem),
        identity: session.identity,
        showClaims: session.problem.code === 'not_admin',
      };
    case 'signed_out':
      return session.problem
        ? { ...nothing, ...from(session.problem) }
        : { ...nothing, title: `Sign in to ${name}`, body: [method.asking] };
    case 'active':
    case 'renewing':
    case 'unreachable': {
      const who = identityOf(session)?.display_name;
      return {
        ...nothing,
        title: `Sign in to ${name} with another account`,
        body: [
          `You are signed in${who ? ` as ${who}` : ''}. That session goes on until the new one is accepted.`,
        ],
      };
    }
    case 'signing_in':
      return { ...nothing, title: `Signing in to ${name}` };
  }
}
