import { expect, it } from 'vitest';

import { environment, problem, identity } from '../ipc/fake/views';
import { held } from '../ipc/fake/scenarios/held';
import { moved } from './reorder';
import { signOf, twoLetters } from './session-sign';

it('moves within the list and not beyond it', () => {
  expect(moved(['a', 'b', 'c'], 0, 2)).toEqual(['b', 'c', 'a']);
  expect(moved(['a', 'b', 'c'], 2, -5)).toEqual(['c', 'a', 'b']);
  expect(moved(['a'], 0, 3)).toEqual(['a']);
});

it.each([
  ['Acme production', 'PROD', 'PR'],
  ['Acme production', '', 'AP'],
  ['x', '', 'X'],
  ['', '', '?'],
  ['🦊 den', '', '🦊D'],
  ['Customer 10', 'C10', 'C10'],
  ['Customer 11', '', 'C11'],
  ['', 'eu-1', 'E1'],
  ['', '2025', '20'],
  ['', '7', '7'],
])('%s with the tag %s has the letters %s', (name, tag, letters) => {
  expect(twoLetters(name, tag)).toBe(letters);
});

it('what needs the operator comes first', () => {
  const why = problem('dns', 'x');
  const unreachable = {
    status: 'unreachable',
    since: 0,
    problem: why,
    identity: identity(),
    expires_at: null,
  } as const;
  const impaired = { status: 'impaired', problem: why } as const;
  const expired = { status: 'expired', at: 0, identity: identity(), problem: null } as const;
  const renewing = { status: 'renewing', identity: identity(), expires_at: null, waits: false } as const;
  const [waiting] = held.one();
  if (!waiting) throw new Error('nothing held');
  expect(signOf(environment('1'), [])).toBe('active');
  expect(signOf(environment('1', { session: renewing }), [])).toBe('renewing');
  expect(signOf(environment('1', { session: unreachable }), [])).toBe('unreachable');
  expect(signOf(environment('1', { session: unreachable, connection: impaired }), [])).toBe('unreachable');
  expect(signOf(environment('1', { session: unreachable, held: [waiting] }), [])).toBe('needs-you');
  expect(signOf(environment('1', { held: [{ ...waiting, under_way: true }] }), [])).toBe('active');
  expect(signOf(environment('1', { connection: impaired, session: expired }), [])).toBe('needs-you');
  expect(signOf(environment('1'), [{ kind: 'quit' }, { kind: 'sign_out_all' }])).toBe('active');
  expect(signOf(environment('1'), [{ kind: 'sign_in', environment: '1' }])).toBe('needs-you');
  expect(signOf(environment('1'), [{ kind: 'sign_in', environment: '2' }])).toBe('active');
  expect(signOf(environment('1', { session: { status: 'signed_out', problem: null } }), [])).toBe(
    'signed-out',
  );
});
