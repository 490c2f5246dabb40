// Which banner is which, so that one that was put away stays away until something else is wrong.

import type { EnvironmentView, Problem } from '../ipc/types';

export function bannerKey(environment: EnvironmentView, problem: Problem): string {
  return `${environment.id}:${problem.code}`;
}

/** How many notices are shown before the rest is only counted. */
export const SHOWN_NOTICES = 3;
