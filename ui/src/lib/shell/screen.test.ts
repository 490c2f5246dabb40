import { describe, expect, it } from 'vitest';

import { scenarios } from '../ipc/fake/scenarios';
import type { ShellState } from '../ipc/types';
import { coverFor, questionFor, screenFor, type Opened } from './screen';

const state = (name: string): ShellState => {
  const make = scenarios[name];
  if (!make) throw new Error(name);
  return make();
};

const cover = (name: string, opened: Opened | null = null, strip = 0, removing: string | null = null) => {
  const now = state(name);
  return coverFor(screenFor(now, opened), questionFor(now, removing), strip);
};

describe('the dashboard is hidden under', () => {
  it.each([
    'first-run',
    'signed-out',
    'stored',
    'moved',
    'signing-in',
    'expired',
    'refused',
    'not-admin',
    'switch-account',
    'unreachable-at-first',
    'sign-out',
    'external',
    'keychain',
    'settings-problem',
    'nothing-chosen',
    'doctor-running',
    'doctor-well',
    'sign-out-all',
    'quit',
    'held-expired',
  ])('%s', (name) => {
    expect(cover(name)).toEqual({ kind: 'full' });
  });

  it('a panel that the operator opened', () => {
    for (const opened of [
      { kind: 'environment', id: null },
      { kind: 'identity' },
      { kind: 'history' },
      { kind: 'about' },
      { kind: 'keychain' },
    ] as const) {
      expect(cover('active', opened)).toEqual({ kind: 'full' });
    }
  });

  it('the question whether to remove it', () => {
    expect(cover('active', null, 0, 'a1b2c3d4e5f60718')).toEqual({ kind: 'full' });
  });
});

describe('the dashboard is in sight', () => {
  it.each(['active', 'open', 'opaque', 'expiring', 'opening', 'renewing', 'renewing-waits'])(
    'when %s',
    (name) => {
      expect(cover(name)).toEqual({ kind: 'none' });
    },
  );

  it.each(['unreachable', 'stalled', 'impaired', 'notices', 'keychain-live', 'held-one'])(
    'below a strip when %s',
    (name) => {
      expect(cover(name, null, 37)).toEqual({ kind: 'strip', height: 37 });
    },
  );

  it('a prompt to sign in of another environment leaves it alone', () => {
    const now = {
      ...state('active'),
      prompts: [{ kind: 'sign_in', environment: '0f1e2d3c4b5a6978' } as const],
    };
    expect(screenFor(now, null).kind).toBe('dashboard');
  });

  it('who you are is not asked where nobody is known to be signed in', () => {
    expect(screenFor(state('unreachable-at-first'), { kind: 'identity' }).kind).toBe('unreachable');
    expect(screenFor(state('unreachable'), { kind: 'identity' }).kind).toBe('identity');
  });

  it('an editor of an environment that is gone is no reason to hide it', () => {
    expect(screenFor(state('active'), { kind: 'environment', id: 'gone' }).kind).toBe('dashboard');
  });
});

it('asks the oldest question first, and the operator’s own last', () => {
  const now: ShellState = {
    ...state('active'),
    prompts: [
      { kind: 'sign_in', environment: 'a1b2c3d4e5f60718' },
      { kind: 'open_external', id: 'l', environment: 'a1b2c3d4e5f60718', host: 'x', url: 'https://x/' },
      { kind: 'sign_out', environment: 'a1b2c3d4e5f60718' },
    ],
  };
  expect(questionFor(now, 'a1b2c3d4e5f60718')?.kind).toBe('open_external');
  expect(questionFor({ ...now, prompts: [] }, 'a1b2c3d4e5f60718')?.kind).toBe('remove');
  expect(questionFor({ ...now, prompts: [] }, null)).toBeNull();
});
