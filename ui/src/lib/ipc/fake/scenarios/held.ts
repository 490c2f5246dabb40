// Actions that met an ended session and wait for the operator's word.

import type { HeldView, ShellState } from '../../types';
import { identity, MINUTE } from '../views';
import { closed, PROD, prompt, three } from '../world';
import { unreachable } from './sessions';

const action = (id: string, name: string, minutes: number, over: Partial<HeldView> = {}): HeldView => ({
  id,
  name,
  asked_at: Date.now() - minutes * MINUTE,
  late: minutes > 10,
  perhaps_done: false,
  under_way: false,
  ...over,
});

const names = [
  'Retry job 7f3a9c1e in emails',
  'Pause queue billing',
  'Remove job 0b52d8aa-4be6-4f0b-9c58-2f1f3f8f7f10 from a-queue-with-a-long-name.europe-west.production',
  'Retry 12 jobs in the dead letters of emails',
];

export const held = {
  one: () => [action('h1', names[0] as string, 4)],
  late: () => [action('h1', names[0] as string, 25)],
  /** Oldest first: a late one, one that may have been done, and one under way. */
  three: () => [
    action('h1', names[0] as string, 25),
    action('h2', names[1] as string, 6, { perhaps_done: true }),
    action('h3', names[2] as string, 4, { under_way: true }),
  ],
  perhapsDone: () => [action('h1', names[0] as string, 4, { perhaps_done: true })],
  underWay: () => [action('h1', names[0] as string, 4, { perhaps_done: true, under_way: true })],
  many: () =>
    Array.from({ length: 24 }, (_, index) =>
      action(`h${index + 1}`, names[index % names.length] as string, 34 - index, {
        perhaps_done: index === 20,
      }),
    ),
};

const expired = {
  status: 'expired',
  at: Date.now() - 30 * MINUTE,
  identity: identity(),
  problem: null,
} as const;

export const heldScenarios: Record<string, () => ShellState> = {
  'held-one': () => three({ held: held.one() }),
  'held-late': () => three({ held: held.late() }),
  'held-three': () => three({ held: held.three() }),
  'held-many': () => three({ held: held.many() }),
  'held-unreachable': () => three({ held: held.one(), session: unreachable(2 * MINUTE) }),
  'held-expired': () => three({ ...closed, session: expired, held: held.one() }),
  'held-expired-many': () => three({ ...closed, session: expired, held: held.many() }),
  'held-switch-account': () => three({ held: held.one() }, prompt({ kind: 'sign_in', environment: PROD })),
};
