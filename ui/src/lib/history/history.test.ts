import { screen, waitFor } from '@testing-library/svelte';
import { expect, it } from 'vitest';

import { shows } from '../../test-shows';

const open = async (scenario: string) => {
  const shown = await shows(scenario);
  await shown.user.click(screen.getByTestId('bar-menu'));
  await shown.user.click(screen.getByTestId('menu-history'));
  await screen.findByTestId('panel-history');
  return shown;
};

it.each(['active', 'signed-out', 'expired', 'refused', 'unreachable', 'unreachable-at-first'])(
  'is there when %s',
  async (scenario) => {
    const { core } = await open(scenario);
    expect(core.cover).toEqual({ kind: 'full' });
  },
);

it('says what happened, newest first, with what was trouble, in local time with the offset on hover', async () => {
  const { core } = await open('unreachable');
  const entries = screen.getAllByTestId('history-entry');
  expect(entries).toHaveLength(core.state.environments[0]?.history.length ?? -1);
  expect(entries[0]?.textContent).toContain('Renewed');
  expect(entries[0]?.querySelector('time')?.title).toMatch(/GMT/);
  expect(entries[0]?.textContent).not.toContain('Trouble');
  expect(entries[1]?.textContent).toContain('Trouble:');
  expect(entries[1]?.textContent).toContain('Unreachable for 3 min');
});

it('teaches when it is empty', async () => {
  await open('signed-out');
  expect(screen.getByTestId('history-empty').textContent).toContain('From your first sign-in on');
  expect(screen.queryByTestId('history')).toBeNull();
});

it('leaves by Escape, with the keyboard back where it was', async () => {
  const { user } = await open('active');
  await user.keyboard('{Escape}');
  await waitFor(() => expect(screen.queryByTestId('panel-history')).toBeNull());
  expect(document.activeElement).toBe(screen.getByTestId('bar-menu'));
});

it('who you are says the newest of it, and leads to the rest', async () => {
  const { user } = await shows('renewing');
  await user.click(screen.getByTestId('bar-operator'));
  await screen.findByTestId('panel-identity');
  expect(screen.getAllByTestId('history-entry')).toHaveLength(5);
  await user.click(screen.getByTestId('history-all'));
  await screen.findByTestId('panel-history');
  expect(screen.getAllByTestId('history-entry')).toHaveLength(7);
});
