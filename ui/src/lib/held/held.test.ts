import { screen, waitFor, within } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';

import { PROD, shows } from '../../test-shows';
import { problem } from '../ipc/fake/views';
import { waited, waits } from './words';

const row = (id: string) => {
  const found = document.querySelector<HTMLElement>(`[data-testid="held"][data-held="${id}"]`);
  if (!found) throw new Error(`nothing held with the id ${id}`);
  return within(found);
};

it('counts as a person does', () => {
  expect([waited(1), waited(3)]).toEqual(['One action waited for you', '3 actions waited for you']);
  expect([waits(1), waits(3)]).toEqual(['1 action waits', '3 actions wait']);
});

describe('after the sign-in', () => {
  it('what waited is named under the bar, oldest first, and the page stays in sight', async () => {
    const { core } = await shows('held-three');
    const strip = screen.getByTestId('held-strip');
    expect(strip.querySelector('h2')?.textContent).toBe('3 actions waited for you');
    expect(screen.getAllByTestId('held').map((one) => one.dataset.held)).toEqual(['h1', 'h2', 'h3']);
    expect(row('h1').getByTestId('held-name').textContent).toBe('Retry job 7f3a9c1e in emails');
    expect(strip.textContent).toMatch(/asked for at .*\d\d:\d\d/);
    expect(core.cover?.kind).not.toBe('full');
  });

  it('it is done at once when it was asked for just now', async () => {
    const { core, user } = await shows('held-one');
    await user.click(row('h1').getByTestId('held-do'));
    expect(core.called('held_carry_out')).toEqual([{ id: PROD, held: 'h1', lateConfirmed: false }]);
    await waitFor(() => expect(screen.queryByTestId('held-strip')).toBeNull());
  });

  it('it is dropped by one press', async () => {
    const { core, user } = await shows('held-one');
    await user.click(row('h1').getByTestId('held-drop'));
    expect(core.called('held_drop')).toEqual([{ id: PROD, held: 'h1' }]);
    expect(core.called('held_carry_out')).toEqual([]);
  });

  it('what was asked for long ago is asked again in place, and only then done', async () => {
    const { core, user } = await shows('held-late');
    await user.click(row('h1').getByTestId('held-do'));
    const question = row('h1').getByTestId('held-late');
    expect(question.textContent).toContain('You asked for this 25 min ago. Things may have changed.');
    expect(core.called('held_carry_out')).toEqual([]);
    await waitFor(() => expect(document.activeElement).toBe(question));
    await user.click(row('h1').getByTestId('held-do-late'));
    expect(core.called('held_carry_out')).toEqual([{ id: PROD, held: 'h1', lateConfirmed: true }]);
  });

  it('what may have been done already is asked about before it is done', async () => {
    const { core, user } = await shows('held-three');
    await user.click(row('h2').getByTestId('held-do'));
    expect(row('h2').getByTestId('held-late').textContent).toContain('It may have been done already.');
    expect(core.called('held_carry_out')).toEqual([]);
    await user.click(row('h2').getByTestId('held-do-late'));
    expect(core.called('held_carry_out')).toEqual([{ id: PROD, held: 'h2', lateConfirmed: true }]);
  });

  it('Enter in the question does nothing, and Escape puts it away', async () => {
    const { core, user } = await shows('held-late');
    row('h1').getByTestId('held-do').focus();
    await user.keyboard('{Enter}');
    await waitFor(() => expect(document.activeElement).toBe(row('h1').getByTestId('held-late')));
    await user.keyboard('{Enter}{Escape}');
    expect(row('h1').queryByTestId('held-late')).toBeNull();
    expect(document.activeElement).toBe(row('h1').getByTestId('held-do'));
    expect([...core.called('held_carry_out'), ...core.called('held_drop')]).toEqual([]);
  });

  it('the late one can be dropped from its question', async () => {
    const { core, user } = await shows('held-late');
    await user.click(row('h1').getByTestId('held-do'));
    await user.click(within(row('h1').getByTestId('held-late')).getByTestId('held-drop'));
    expect(core.called('held_drop')).toEqual([{ id: PROD, held: 'h1' }]);
  });

  it('what may have been done already says so, and one under way cannot be answered', async () => {
    await shows('held-three');
    expect(row('h1').queryByTestId('held-perhaps-done')).toBeNull();
    expect(row('h2').getByTestId('held-perhaps-done').textContent?.trim()).toBe(
      'It may have been carried out already. Look before you do it.',
    );
    row('h3').getByTestId('held-under-way');
    expect(row('h3').queryByTestId('held-do')).toBeNull();
    expect(row('h3').queryByTestId('held-drop')).toBeNull();
  });

  it('a second press while the core has not answered is none', async () => {
    const { core, user } = await shows('held-one');
    core.holdStates();
    core.delay = 20;
    const button = row('h1').getByTestId('held-do');
    await user.dblClick(button);
    await waitFor(() => expect(core.called('held_carry_out')).toHaveLength(1));
    row('h1').getByTestId('held-under-way');
  });

  it('the keyboard stays with the list when one of it goes', async () => {
    const { core, user } = await shows('held-three');
    row('h1').getByTestId('held-drop').focus();
    await user.keyboard('{Enter}');
    await waitFor(() => expect(core.state.environments[0]?.held).toHaveLength(2));
    await waitFor(() => expect((document.activeElement as HTMLElement).dataset.held).toBe('h2'));
  });

  it('what fails is said, and it still waits', async () => {
    const { core, user } = await shows('held-one');
    core.failing = { held_carry_out: problem('refused_write', 'It was not done', 'PROD is locked.') };
    await user.click(row('h1').getByTestId('held-do'));
    expect((await screen.findByTestId('failure')).textContent).toContain('PROD is locked.');
    row('h1').getByTestId('held-do');
  });

  it('nothing is done while the admin cannot be reached, but it can be dropped', async () => {
    const { core, user } = await shows('held-unreachable');
    await user.click(row('h1').getByTestId('held-do'));
    expect(core.called('held_carry_out')).toEqual([]);
    await user.click(row('h1').getByTestId('held-drop'));
    expect(core.called('held_drop')).toEqual([{ id: PROD, held: 'h1' }]);
  });
});

describe('before the sign-in', () => {
  it('the panel says what waits, and it can be dropped there', async () => {
    const { core, user } = await shows('held-expired');
    const waiting = await screen.findByTestId('held-waiting');
    expect(screen.queryByTestId('held-strip')).toBeNull();
    expect(waiting.textContent).toContain('1 action waits. It is offered once you are signed in.');
    expect(within(waiting).getByTestId('held-name').textContent).toBe('Retry job 7f3a9c1e in emails');
    await user.click(within(waiting).getByTestId('held-drop'));
    expect(core.called('held_drop')).toEqual([{ id: PROD, held: 'h1' }]);
    await waitFor(() => expect(screen.queryByTestId('held-waiting')).toBeNull());
  });

  it('another account is told that it would drop it', async () => {
    await shows('held-switch-account');
    expect((await screen.findByTestId('held-waiting')).textContent).toContain(
      'Signing in with another account drops it.',
    );
    expect(screen.queryByTestId('held-strip')).toBeNull();
  });

  it('the rail says that the environment needs somebody, and why', async () => {
    await shows('held-three');
    const item = screen.getByTestId(`env-${PROD}`);
    expect(item.dataset.sign).toBe('needs-you');
    expect(item.getAttribute('aria-label')).toContain('needs you, 3 actions wait');
  });
});

it('a name that hides something shows it', async () => {
  const { core } = await shows('held-one');
  const [one] = core.state.environments[0]?.held ?? [];
  if (!one) throw new Error('nothing held');
  core.patch(PROD, { held: [{ ...one, name: 'Retry job \u202egpj.exe' }] });
  await waitFor(() =>
    expect(row('h1').getByTestId('held-name').textContent).toBe('Retry job ‹U+202E›gpj.exe'),
  );
});
