import { screen, waitFor } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';

import { PROD, shows } from '../../test-shows';
import { problem } from '../ipc/fake/views';

describe('renewing', () => {
  it('is quiet: the bar is as before, the rail says it, the page stays', async () => {
    const { core } = await shows('renewing');
    expect(screen.getByTestId('bar-operator').textContent).toContain('Alice Moreau');
    expect(screen.getByTestId('bar-expiry').textContent).toContain('expires in 8 min');
    expect(screen.queryByTestId('bar-renewing')).toBeNull();
    const item = screen.getByTestId(`env-${PROD}`);
    expect(item.dataset.sign).toBe('renewing');
    expect(item.getAttribute('aria-label')).toContain('renewing the session');
    expect(core.cover).toEqual({ kind: 'none' });
  });

  it('is said in the bar when requests wait for it', async () => {
    await shows('renewing-waits');
    expect(screen.getByTestId('bar-renewing').textContent?.trim()).toBe('Renewing');
    expect(screen.queryByTestId('bar-expiry')).toBeNull();
    screen.getByTestId('bar-operator');
  });
});

describe('the time left', () => {
  it('warns and counts when the operator has to do something', async () => {
    await shows('expiring');
    expect(screen.getByTestId('bar-expiry').dataset.soon).toBe('true');
    expect(screen.getByTestId('bar-expiry').textContent).toMatch(/expires in 4:3\d/);
  });

  it('neither warns nor counts when the console renews', async () => {
    await shows('expiring-renews');
    expect(screen.getByTestId('bar-expiry').dataset.soon).toBe('false');
    expect(screen.getByTestId('bar-expiry').textContent?.trim()).toBe('expires in 2 min');
  });
});

describe('unreachable', () => {
  it('says since when and why, and the page stays under it', async () => {
    const { core, user } = await shows('unreachable');
    expect(screen.getByTestId('bar-connection').textContent).toMatch(/Unreachable since .*\d\d:\d\d/);
    expect(screen.getByTestId('bar-connection').title).toMatch(/GMT/);
    const banner = screen.getByTestId('connection-banner');
    expect(banner.textContent).toMatch(/Can’t reach PROD since .*\d\d:\d\d.* admin\.acme\.example does not/);
    expect(core.cover?.kind).not.toBe('full');
    screen.getByTestId('bar-operator');
    await user.click(screen.getByTestId('try-now'));
    expect(core.called('session_try_now')).toEqual([{ id: PROD }]);
    expect(core.called('dashboard_reload')).toEqual([]);
  });

  it('is a screen of its own only without a page', async () => {
    const { core, user } = await shows('unreachable-at-first');
    const panel = await screen.findByTestId('panel-unreachable');
    expect(panel.querySelector('h1')?.textContent).toMatch(/^Can’t reach PROD since .*\d\d:\d\d/);
    expect(screen.queryByTestId('connection-banner')).toBeNull();
    await waitFor(() => expect(document.activeElement).toBe(screen.getByTestId('try-now')));
    await user.keyboard('{Enter}');
    expect(core.called('session_try_now')).toEqual([{ id: PROD }]);
  });

  it('the line that was put away comes back with the next outage, or by the bar', async () => {
    const { core, user } = await shows('unreachable');
    await user.click(screen.getByTestId('connection-banner-dismiss'));
    expect(screen.queryByTestId('connection-banner')).toBeNull();
    await user.click(screen.getByTestId('bar-connection'));
    await user.click(await screen.findByTestId('connection-banner-dismiss'));
    const session = core.state.environments[0]?.session;
    if (session?.status !== 'unreachable') throw new Error('reachable');
    core.patch(PROD, { session: { ...session, since: session.since + 60_000 } });
    await screen.findByTestId('connection-banner');
  });
});

it('live updates that stopped are said in the bar and under it', async () => {
  const { core } = await shows('stalled');
  const bar = screen.getByTestId('bar-connection');
  expect(bar.textContent).toMatch(/No live updates since .*\d\d:\d\d/);
  expect(bar.classList.contains('stalled')).toBe(true);
  expect(screen.getByTestId('connection-banner').textContent).toContain('nothing came through it');
  expect(core.cover?.kind).not.toBe('full');
  expect(screen.getByTestId(`env-${PROD}`).dataset.sign).toBe('active');
});

it('nothing is said of the connection of a session that has ended', async () => {
  const { core } = await shows('expired');
  core.patch(PROD, { connection: { status: 'stalled', since: 0, problem: problem('stalled', 'x') } });
  await screen.findByTestId('panel-sign-in');
  expect(screen.queryByTestId('connection-banner')).toBeNull();
});

it('a session that could not be renewed says why, beneath when it ended', async () => {
  await shows('expired-not-renewed');
  expect(screen.getByTestId('problem-title').textContent).toMatch(/^Your session on PROD ended at /);
  const why = screen.getByTestId('not-renewed');
  expect(why.textContent).toContain('It could not be renewed');
  expect(why.textContent).toContain('invalid_grant');
});
