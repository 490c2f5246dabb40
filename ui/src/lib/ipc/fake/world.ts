// The environments that the scenarios are about: production on stage, staging, and a local one.

import type { EnvironmentView, Prompt, ShellState } from '../types';
import { draft, environment, shellState } from './views';

export const PROD = 'a1b2c3d4e5f60718';
export const STAGE = '0f1e2d3c4b5a6978';
export const DEV = '1122334455667788';

const stage = () =>
  environment(STAGE, {
    draft: draft({
      name: 'Acme staging',
      tag: 'STAGE',
      accent: 'amber',
      base_url: 'https://staging.acme.example/ops/asyncmq',
      protection: 'open',
    }),
  });

const dev = () =>
  environment(DEV, {
    draft: draft({
      name: 'Local',
      tag: 'DEV',
      accent: 'green',
      base_url: 'http://127.0.0.1:8000/asyncmq',
      protection: 'open',
    }),
    session: { status: 'signed_out', problem: null },
    stored_credential: { status: 'none' },
    page: null,
  });

/** Three environments with production on stage, changed by `over`. */
export function three(over: Partial<EnvironmentView> = {}, state: Partial<ShellState> = {}): ShellState {
  return shellState({ environments: [environment(PROD, over), stage(), dev()], ...state });
}

export const closed = {
  page: null,
  stored_credential: { status: 'none' },
} satisfies Partial<EnvironmentView>;

export const prompt = (over: Prompt): Partial<ShellState> => ({ prompts: [over] });
