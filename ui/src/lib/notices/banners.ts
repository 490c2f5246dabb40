// What is wrong between here and the admin, in one place for the bar and the line under it; and which line is which, so
// that one that was put away stays away until something else is wrong.

import type { EnvironmentView, Problem } from '../ipc/types';
import { goesOn } from '../shell/session';
import { shortName } from '../shell/shell.svelte';

export interface Trouble {
  kind: 'unreachable' | 'stalled' | 'impaired';
  /** `null`: it is not known, or does not matter, since when. */
  since: number | null;
  problem: Problem;
  /** For the bar; "since 14:02" follows where it is known. */
  short: string;
  /** For the line under it, as above. */
  title: string;
}

/** Nothing is said of the connection of a session that has ended: the sign-in is. */
export function troubleOf(environment: EnvironmentView): Trouble | null {
  const { session, connection } = environment;
  if (session.status === 'unreachable') {
    return {
      kind: 'unreachable',
      since: session.since,
      problem: session.problem,
      short: 'Unreachable',
      title: `Can’t reach ${shortName(environment)}`,
    };
  }
  if (connection.status === 'fine' || !goesOn(session)) return null;
  const { problem } = connection;
  return connection.status === 'stalled'
    ? {
        kind: 'stalled',
        since: connection.since,
        problem,
        short: 'No live updates',
        title: `No live updates from ${shortName(environment)}`,
      }
    : { kind: 'impaired', since: null, problem, short: 'Impaired', title: problem.title };
}

export function bannerKey(environment: EnvironmentView, trouble: Trouble): string {
  return [environment.id, trouble.problem.code, trouble.since].join(':');
}

/** How many notices are shown before the rest is only counted. */
export const SHOWN_NOTICES = 3;
