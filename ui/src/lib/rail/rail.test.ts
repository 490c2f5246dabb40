import { expect, it } from 'vitest';

import { environment, problem, identity } from '../ipc/fake/scenarios';
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
  const broken = { status: 'unreachable', since: 0, problem: problem('dns', 'x') } as const;
  const expired = { status: 'expired', at: 0, identity: identity() } as const;
  expect(signOf(environment('1'), [])).toBe('active');
  expect(signOf(environment('1', { connection: broken }), [])).toBe('unreachable');
  expect(signOf(environment('1', { connection: broken, session: expired }), [])).toBe('needs-you');
  expect(signOf(environment('1'), [{ kind: 'sign_in', environment: '1' }])).toBe('needs-you');
  expect(signOf(environment('1'), [{ kind: 'sign_in', environment: '2' }])).toBe('active');
  expect(signOf(environment('1', { session: { status: 'signed_out', problem: null } }), [])).toBe(
    'signed-out',
  );
});
