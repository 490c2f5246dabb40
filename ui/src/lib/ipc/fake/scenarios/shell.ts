// The frame itself: the first start, what it shows all day, the keychain, the settings, many environments.

import type { Accent, EnvironmentView, SessionView, ShellState } from '../../types';
import { active, draft, environment, identity, MINUTE, problem, shellState } from '../views';
import { closed, PROD, STAGE, three } from '../world';

const noKeychain = problem(
  'no_keychain',
  'No keychain on this computer',
  'No Secret Service answers on the session bus (org.freedesktop.secrets).',
  'Install and unlock gnome-keyring or KWallet, then try again.',
);

export const shellScenarios: Record<string, () => ShellState> = {
  'first-run': () => shellState(),
  active: () => three(),
  open: () => three({ draft: draft({ protection: 'open' }) }),
  demo: () => three({}, { profile: 'demo' }),
  opaque: () => three({ session: { ...(active(null) as SessionView & { status: 'active' }) } }),
  expiring: () => three({ session: active(4 * MINUTE + 32_000) }),
  opening: () => three({ page: null }),
  notices: () =>
    three(
      {},
      {
        notices: [
          {
            id: 'n1',
            kind: 'download',
            text: 'jobs-2025-11-24.csv was saved to Downloads.',
            environment: PROD,
          },
          {
            id: 'n2',
            kind: 'refused_write',
            text: 'Nothing was done: PROD is locked, and pausing a queue changes production.',
            environment: PROD,
          },
          { id: 'n3', kind: 'info', text: 'A new version of the admin answers: 0.10.1.', environment: STAGE },
        ],
      },
    ),
  keychain: () =>
    three(
      { ...closed, session: { status: 'signed_out', problem: null } },
      { keychain: { status: 'unavailable', problem: noKeychain, memory_allowed: false } },
    ),
  'keychain-live': () =>
    three({}, { keychain: { status: 'unavailable', problem: noKeychain, memory_allowed: false } }),
  memory: () =>
    three(
      { ...closed, session: { status: 'signed_out', problem: null } },
      { keychain: { status: 'unavailable', problem: noKeychain, memory_allowed: true } },
    ),
  'settings-problem': () =>
    shellState({
      settings_problem: problem(
        'newer_version',
        'The settings are from a newer version',
        '/home/alice/.config/asyncmq-console/environments.toml has version 4; this console reads up to version 1.',
        'Start the newer console, or move the file away to begin with no environments.',
      ),
    }),
  'nothing-chosen': () => ({ ...three(), selected: null }),
  many: () => {
    const accents: Accent[] = ['red', 'orange', 'amber', 'green', 'teal', 'blue', 'violet', 'pink', 'slate'];
    const states: Partial<EnvironmentView>[] = [
      {},
      { session: { status: 'signing_in', step: null } },
      { session: { status: 'signed_out', problem: null } },
      {
        session: {
          status: 'unreachable',
          since: Date.now(),
          problem: problem('dns', 'Can’t reach it', 'No answer.', 'Trying again.'),
          identity: identity(),
          expires_at: null,
        },
      },
      { session: { status: 'expired', at: Date.now(), identity: identity(), problem: null } },
      {
        session: {
          status: 'renewing',
          identity: identity(),
          expires_at: Date.now() + 8 * MINUTE,
          waits: false,
        },
      },
    ];
    const environments = Array.from({ length: 18 }, (_, index) =>
      environment(`c0ffee${String(index).padStart(10, '0')}`, {
        ...states[index % states.length],
        draft: draft({
          name:
            index === 0
              ? 'A customer with a name that is much longer than anyone would like'
              : `Customer ${index}`,
          tag: index === 0 ? 'CUSTOMER' : `C${index}`,
          accent: accents[index % accents.length] ?? 'blue',
        }),
      }),
    );
    return shellState({ environments, profile: 'development' });
  },
};

for (const accent of [
  'red',
  'orange',
  'amber',
  'green',
  'teal',
  'blue',
  'violet',
  'pink',
  'slate',
] as const) {
  shellScenarios[`accent-${accent}`] = () => three({ draft: draft({ accent, tag: accent.toUpperCase() }) });
}
