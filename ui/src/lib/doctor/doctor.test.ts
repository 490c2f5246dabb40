import { screen, waitFor, within } from '@testing-library/svelte';
import { expect, it, vi } from 'vitest';

import { PROD, shows } from '../../test-shows';
import type { DoctorStepView, VerdictView } from '../ipc/types';
import { summaryOf } from './verdicts';

const examined = (running: boolean, ...verdicts: VerdictView[]) => ({
  running,
  began_at: 0,
  steps: verdicts.map((verdict, index): DoctorStepView => ({
    id: `s${index}`,
    title: 'Step',
    verdict,
    finding: '',
    advice: '',
  })),
  text: '',
});

it.each([
  ['Looking…', examined(true, 'failed', 'running')],
  ['All is well', examined(false, 'well', 'skipped')],
  ['All is well, as far as it can be told from here', examined(false, 'well', 'unknown')],
  ['Nothing is wrong, 1 thing to look at', examined(false, 'well', 'warning')],
  ['1 thing is wrong', examined(false, 'failed', 'skipped')],
  ['2 things are wrong, 1 more to look at', examined(false, 'failed', 'failed', 'warning')],
])('it comes to "%s"', (words, doctor) => {
  expect(summaryOf(doctor)).toBe(words);
});

it('opens from the menu, hides what was opened by hand, and closes by Escape', async () => {
  const { core, user } = await shows('active');
  await user.click(screen.getByTestId('bar-operator'));
  await screen.findByTestId('panel-identity');
  await user.click(screen.getByTestId('bar-menu'));
  await user.click(screen.getByTestId('menu-doctor'));
  const panel = await screen.findByTestId('panel-doctor');
  expect(core.called('doctor_open')).toEqual([{ id: PROD }]);
  expect(core.cover).toEqual({ kind: 'full' });
  expect(document.activeElement).toBe(within(panel).getByTestId('doctor-close'));
  await user.keyboard('{Escape}');
  await waitFor(() => expect(screen.queryByTestId('panel-doctor')).toBeNull());
  expect(core.called('doctor_close')).toEqual([{ id: PROD }]);
});

it.each([
  ['refused', 'Open the doctor'],
  ['expired', 'Why?'],
  ['unreachable-at-first', 'Open the doctor'],
  ['stalled', 'Open the doctor'],
])('is offered when %s', async (scenario, words) => {
  const { core, user } = await shows(scenario);
  const button = await screen.findByTestId('open-doctor');
  expect(button.textContent?.trim()).toBe(words);
  await user.click(button);
  expect(core.called('doctor_open')).toEqual([{ id: PROD }]);
  await screen.findByTestId('panel-doctor');
});

it('is no part of a plain sign-in', async () => {
  await shows('signed-out');
  await screen.findByTestId('panel-sign-in');
  expect(screen.queryByTestId('open-doctor')).toBeNull();
});

it('shows each step as it is found, in order, and says only the summary aloud', async () => {
  const { core } = await shows('doctor-running');
  const panel = await screen.findByTestId('panel-doctor');
  const shown = () => screen.getAllByTestId('doctor-step').map((one) => one.dataset.verdict);
  expect(shown()).toEqual(['well', 'well', 'well', 'skipped', 'well', 'well', 'running']);
  const aloud = [...panel.querySelectorAll('[role="status"], [aria-live]')];
  expect(aloud.map((one) => one.textContent)).toEqual(['Looking…']);
  const again = screen.getByTestId('doctor-again');
  expect(again.getAttribute('aria-disabled')).toBe('true');
  again.click();
  expect(core.called('doctor_run')).toEqual([]);

  const doctor = core.state.environments[0]?.doctor;
  if (!doctor) throw new Error('no doctor');
  core.patch(PROD, {
    doctor: {
      ...doctor,
      running: false,
      steps: doctor.steps.map((one) =>
        one.verdict === 'running'
          ? { ...one, verdict: 'failed', finding: 'It answered 502.', advice: 'Look at the proxy.' }
          : one,
      ),
    },
  });
  await waitFor(() => expect(screen.getByTestId('doctor-summary').textContent).toBe('1 thing is wrong'));
  expect(shown().at(-1)).toBe('failed');
  const health = panel.querySelector('[data-step="health"]');
  expect(health?.textContent).toContain('It answered 502.');
  expect(health?.textContent).toContain('Look at the proxy.');
  expect(health?.textContent).toContain('Wrong');
});

it('copies its text, runs again, and leads to what is wrong', async () => {
  const { core, user } = await shows('doctor-failed');
  const write = vi.spyOn(navigator.clipboard, 'writeText');
  await user.click(await screen.findByTestId('doctor-copy'));
  expect(write).toHaveBeenCalledWith(core.state.environments[0]?.doctor?.text);
  const named = screen.getAllByTestId('doctor-go');
  expect(named.map((one) => one.textContent)).toEqual(['Ready', 'Audience', 'Same origin']);
  await user.click(named[1] as HTMLElement);
  expect((document.activeElement as HTMLElement).dataset.step).toBe('aud');
  await user.click(screen.getByTestId('doctor-again'));
  expect(core.called('doctor_run')).toEqual([{ id: PROD }]);
});

it('makes way for the sign-in that somebody asks for', async () => {
  const { core, user } = await shows('doctor-well');
  await user.click(screen.getByTestId('bar-menu'));
  await user.click(screen.getByTestId('menu-switch-account'));
  await screen.findByTestId('panel-sign-in');
  expect(core.called('doctor_close')).toEqual([{ id: PROD }]);
});
