// Where the session on stage can stand, and what can be between.

import type { HistoryView, IdentityView, SessionView, ShellState } from '../../types';
import { active, credential, identity, MINUTE, problem } from '../views';
import { closed, PROD, prompt, three } from '../world';

const at = (minutes: number) => Date.now() - minutes * MINUTE;

export const history: HistoryView[] = [
  { at: at(3), text: 'Renewed', trouble: false },
  { at: at(31), text: 'Unreachable for 3 min: the name did not resolve', trouble: true },
  { at: at(58), text: 'Renewed', trouble: false },
  { at: at(118), text: 'Signed in with what the keychain holds', trouble: false },
  { at: at(26 * 60), text: 'Signed out', trouble: false },
  { at: at(27 * 60), text: 'Refused: the token is for audience `asyncmq-staging`', trouble: true },
  { at: at(29 * 60), text: 'Signed in', trouble: false },
];

const renews = () => credential({ renews: true, renewed_at: at(3) });

const renewing = (waits: boolean): SessionView => ({
  status: 'renewing',
  identity: identity(),
  expires_at: Date.now() + (waits ? -20_000 : 8 * MINUTE + 20_000),
  waits,
});

export const unreachable = (ago: number, who: IdentityView | null = identity()): SessionView => ({
  status: 'unreachable',
  since: Date.now() - ago,
  problem: problem(
    'unreachable',
    'Can’t reach PROD',
    '`admin.acme.example` does not resolve.',
    'Trying again every 30 s. Check the network, the VPN and the base URL.',
  ),
  identity: who,
  expires_at: who?.expires_at ?? null,
});

export const sessionScenarios: Record<string, () => ShellState> = {
  'signed-out': () => three({ ...closed, session: { status: 'signed_out', problem: null } }),
  stored: () => three({ page: null, session: { status: 'signed_out', problem: null } }),
  moved: () =>
    three({
      page: null,
      session: { status: 'signed_out', problem: null },
      stored_credential: {
        status: 'moved',
        from: 'https://admin.acme.example/asyncmq',
        to: 'https://console.acme.example/asyncmq',
      },
    }),
  'signing-in': () => three({ ...closed, session: { status: 'signing_in', step: null } }),
  expired: () =>
    three({
      ...closed,
      session: {
        status: 'expired',
        at: Date.now() - 3 * MINUTE,
        identity: identity({ expires_at: Date.now() - 3 * MINUTE }),
        problem: null,
      },
      history,
    }),
  'expired-not-renewed': () =>
    three({
      ...closed,
      session: {
        status: 'expired',
        at: Date.now() - 3 * MINUTE,
        identity: identity({ expires_at: Date.now() - 3 * MINUTE }),
        problem: problem(
          'renewal_failed',
          'It could not be renewed',
          '`id.acme.example` says that the refresh token was used already (`invalid_grant`).',
          'Another computer or a second console signed in with the same stored sign-in. Sign in again here.',
        ),
      },
      history,
    }),
  refused: () =>
    three({
      ...closed,
      session: {
        status: 'refused',
        problem: problem(
          'refused',
          'PROD did not accept your token',
          'Your token is for audience `asyncmq-staging`; this environment expects `asyncmq-admin`.',
          'Use a token that was issued for this admin.',
        ),
        identity: identity({ audience: ['asyncmq-staging'] }),
      },
    }),
  'not-admin': () =>
    three({
      ...closed,
      session: {
        status: 'refused',
        problem: problem(
          'not_admin',
          'Signed in, but not allowed',
          '`alice` has no admin claim here, or lacks a role that this admin requires.',
          'Show the claims to its administrator.',
        ),
        identity: identity({ admin: null, roles: ['viewer'] }),
      },
    }),
  'switch-account': () => three({}, prompt({ kind: 'sign_in', environment: PROD })),
  renewing: () => three({ session: renewing(false), credential: renews(), history }),
  'renewing-waits': () => three({ session: renewing(true), credential: renews(), history }),
  'expiring-renews': () => three({ session: active(2 * MINUTE + 12_000), credential: renews(), history }),
  unreachable: () => three({ session: unreachable(7 * MINUTE), history }),
  'unreachable-yesterday': () => three({ session: unreachable(26 * 60 * MINUTE), history }),
  'unreachable-at-first': () => three({ page: null, session: unreachable(7 * MINUTE, null), history }),
  stalled: () =>
    three({
      connection: {
        status: 'stalled',
        since: Date.now() - 4 * MINUTE,
        problem: problem(
          'stalled',
          'No live updates from PROD',
          'The stream is open, but nothing came through it for three intervals.',
          'The console opens it again by itself. A proxy that buffers event streams would explain it.',
        ),
      },
    }),
  impaired: () =>
    three({
      connection: {
        status: 'impaired',
        problem: problem(
          'cross_origin',
          'PROD rejects actions, not pages.',
          'The admin does not trust the proxy in front of it (`trusted_proxies`).',
          'Reading works.',
        ),
      },
    }),
  'history-long': () =>
    three({
      ...closed,
      session: { status: 'signed_out', problem: null },
      history: Array.from({ length: 50 }, (_, index) => ({
        at: at(index * 47),
        text:
          index === 1
            ? 'Not renewed: id.operations.acme-industries.example answered that the client’s registration of asyncmq-console-production-europe-west was withdrawn'
            : index % 3 === 1
              ? 'Unreachable for 2 min: the connection was refused'
              : 'Renewed',
        trouble: index % 3 === 1,
      })),
    }),
};
