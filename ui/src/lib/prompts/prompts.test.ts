import { screen, waitFor } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';

import { PROD, shows } from '../../test-shows';
import { problem } from '../ipc/fake/views';

describe('signing out of all', () => {
  it.each(['bar', 'about'])('is asked for from the %s', async (from) => {
    const { core, user } = await shows('active');
    if (from === 'bar') {
      await user.click(screen.getByTestId('bar-menu'));
      await user.click(screen.getByTestId('menu-sign-out-all'));
    } else {
      await user.click(screen.getByTestId('about'));
      await user.click(await screen.findByTestId('sign-out-all'));
    }
    expect(core.called('sign_out_all_open')).toHaveLength(1);
    await screen.findByTestId('panel-sign-out-all');
    expect(core.cover).toEqual({ kind: 'full' });
  });

  it('names what ends, says what works offline, begins on Cancel, and Escape stays', async () => {
    const { core, user } = await shows('sign-out-all');
    const cancel = await screen.findByTestId('sign-out-all-cancel');
    await waitFor(() => expect(document.activeElement).toBe(cancel));
    const names = [...screen.getByTestId('environment-names').querySelectorAll('li')];
    expect(names.map((one) => one.textContent?.replace(/\s+/g, ' ').trim())).toEqual([
      'PROD Acme production',
      'STAGE Acme staging',
    ]);
    expect(screen.getByTestId('panel-sign-out-all').textContent).toContain('This works offline too.');
    await user.keyboard('{Escape}');
    await waitFor(() => expect(core.called('sign_out_all_cancel')).toHaveLength(1));
    expect(core.called('sign_out_all')).toEqual([]);
  });

  it.each([
    ['keep', false],
    ['forget', true],
  ])('%s signs out with forget = %s', async (what, forget) => {
    const { core, user } = await shows('sign-out-all');
    await user.click(await screen.findByTestId(`sign-out-all-${what}`));
    await waitFor(() => expect(core.called('sign_out_all')).toEqual([{ forget }]));
    expect(core.state.environments.every(({ session }) => session.status === 'signed_out')).toBe(true);
  });

  it('keeping is the primary answer, and there is none where nothing is signed in', async () => {
    await shows('sign-out-all-stored');
    expect(screen.queryByTestId('sign-out-all-keep')).toBeNull();
    expect((await screen.findByTestId('panel-sign-out-all')).textContent).toContain(
      'You are signed in nowhere.',
    );
  });
});

describe('quitting while actions wait', () => {
  it('names what waits by environment, and Escape stays', async () => {
    const { core, user } = await shows('quit');
    const panel = await screen.findByTestId('panel-quit');
    expect(panel.querySelector('h1, [aria-level="1"]')?.textContent).toBe('3 actions wait');
    const by = [...panel.querySelectorAll('section')].map((one) => [
      one.querySelector('h2')?.textContent,
      one.querySelectorAll('[data-testid="quit-held"]').length,
    ]);
    expect(by).toEqual([
      ['PROD', 2],
      ['STAGE', 1],
    ]);
    expect(screen.getByTestId('quit-on-their-way').textContent).toContain('One action is on its way to PROD');
    await waitFor(() => expect(document.activeElement).toBe(screen.getByTestId('quit-stay')));
    await user.keyboard('{Escape}');
    await waitFor(() => expect(core.called('quit_answer')).toEqual([{ quit: false }]));
  });

  it.each([
    ['quit-stay', false],
    ['quit-yes', true],
  ])('%s answers quit = %s', async (button, quit) => {
    const { core, user } = await shows('quit-one');
    await user.click(await screen.findByTestId(button));
    await waitFor(() => expect(core.called('quit_answer')).toEqual([{ quit }]));
  });

  it('says what is on its way, and where to', async () => {
    await shows('quit-on-their-way');
    const panel = await screen.findByTestId('panel-quit');
    expect(panel.querySelector('h1, [aria-level="1"]')?.textContent).toBe('2 actions are on their way');
    expect(panel.textContent).toMatch(/to PROD and not answered yet.*what became of them/);
    expect(panel.textContent).not.toContain('Nothing waits');
    expect(screen.getByTestId('quit-yes').textContent).toBe('Quit anyway');
  });

  it('says both what waits and what is on its way', async () => {
    await shows('quit-both');
    const panel = await screen.findByTestId('panel-quit');
    expect(panel.querySelector('h1, [aria-level="1"]')?.textContent).toBe('One action waits');
    expect(screen.getAllByTestId('quit-held')).toHaveLength(1);
    expect(screen.getByTestId('quit-on-their-way').textContent).toContain('One action is on its way to PROD');
    expect(screen.getByTestId('quit-yes').textContent).toBe('Quit and drop it');
  });

  it('marks what may have been done already among what has not been done', async () => {
    await shows('quit');
    const said = (await screen.findByTestId('quit-not-kept')).textContent;
    expect(said).toMatch(/What is marked may have been done already.*the rest has not been done/);
    const marked = screen
      .getAllByTestId('quit-held')
      .map((one) => /may have been done/.test(one.textContent));
    expect(marked).toEqual([false, true, false]);
  });

  it('does not say of what may have been done that it was not', async () => {
    await shows('quit-perhaps-done');
    const panel = await screen.findByTestId('panel-quit');
    expect(screen.getByTestId('quit-not-kept').textContent).toBe(
      'It was asked for and may have been done already. Nothing of it is kept after quitting: look before you do it again.',
    );
    expect(panel.textContent).not.toContain('not been done');
  });

  it('counts a held action that is being carried out with what is on its way', async () => {
    await shows('quit-under-way');
    const panel = await screen.findByTestId('panel-quit');
    expect(panel.querySelector('h1, [aria-level="1"]')?.textContent).toBe('2 actions are on their way');
    expect(screen.queryByTestId('quit-held')).toBeNull();
    expect(panel.textContent).not.toMatch(/not been done|kept/);
    expect(screen.getByTestId('quit-yes').textContent).toBe('Quit anyway');
  });

  it('an answer that fails is said in the question', async () => {
    const { core, user } = await shows('quit-one');
    core.failing = { quit_answer: problem('internal', 'The console could not quit', 'It is busy.') };
    await user.click(await screen.findByTestId('quit-yes'));
    expect((await screen.findByTestId('question-error')).textContent).toContain('It is busy.');
  });
});

describe('hosts that pages load from besides the admin’s', () => {
  it('are named with what is lost without them, and blocking is the first answer', async () => {
    const { core, user } = await shows('third-parties');
    const block = await screen.findByTestId('third-parties-block');
    await waitFor(() => expect(document.activeElement).toBe(block));
    expect(core.cover).toEqual({ kind: 'full' });
    const rows = [...screen.getByTestId('third-parties').querySelectorAll('li')];
    expect(rows.map((one) => one.textContent?.replace(/\s+/g, ' ').trim())).toEqual([
      'cdn.jsdelivr.net Without it these pages lack: charts.',
      'cdn.tailwindcss.com Without it these pages lack: layout and colours.',
    ]);
    await user.keyboard('{Escape}');
    const origins = ['https://cdn.jsdelivr.net', 'https://cdn.tailwindcss.com'];
    await waitFor(() =>
      expect(core.called('third_parties_answer')).toEqual([{ id: PROD, origins, allow: false }]),
    );
    expect((await screen.findByTestId('third-parties-banner')).textContent).toContain(
      'Nothing is loaded from cdn.jsdelivr.net, cdn.tailwindcss.com. These pages lack: charts; layout and colours.',
    );
  });

  it('are allowed together, and nothing is missed then', async () => {
    const { core, user } = await shows('third-parties');
    await user.click(await screen.findByTestId('third-parties-allow'));
    await waitFor(() => expect(core.called('third_parties_answer')[0]).toMatchObject({ allow: true }));
    expect(screen.queryByTestId('third-parties-banner')).toBeNull();
  });

  it('are asked about as many at once as are in sight, and what comes meanwhile is not answered', async () => {
    const { core, user } = await shows('third-parties-many');
    const hosts = () =>
      [...screen.getByTestId('third-parties').querySelectorAll('li')].map((one) => one.dataset.host);
    await screen.findByTestId('third-parties');
    expect(hosts()).toEqual([0, 1, 2].map((index) => `assets${index}.example`));
    expect(screen.getByTestId('third-parties-more').textContent).toBe('3 more are asked about next.');
    const one = core.state.environments.find(({ id }) => id === PROD);
    const late = {
      origin: 'https://a.example',
      host: 'a.example',
      allowed: null,
      kept_out: ['scripts'],
      lost: 'scripts',
    };
    core.patch(PROD, { third_parties: [late, ...(one?.third_parties ?? [])] });
    await waitFor(() =>
      expect(screen.getByTestId('third-parties-more').textContent).toBe('4 more are asked about next.'),
    );
    expect(hosts()).not.toContain('a.example');
    await user.click(screen.getByTestId('third-parties-allow'));
    await waitFor(() => expect(hosts()).toEqual(['a.example', 'assets3.example', 'assets4.example']));
    expect(core.called('third_parties_answer')).toEqual([
      { id: PROD, origins: [0, 1, 2].map((index) => `https://assets${index}.example`), allow: true },
    ]);
  });

  it('can be looked at and changed one by one from the line and from the menu', async () => {
    const { core, user } = await shows('third-parties-lost');
    await user.click(await screen.findByTestId('third-parties-open'));
    const panel = await screen.findByTestId('panel-third-parties');
    await user.keyboard('{Escape}');
    await waitFor(() =>
      expect(core.called('third_parties_answer')).toEqual([{ id: PROD, origins: [], allow: false }]),
    );
    expect(panel.isConnected).toBe(false);
    await user.click(screen.getByTestId('bar-menu'));
    await user.click(screen.getByTestId('menu-third-parties'));
    const row = (await screen.findByTestId('third-parties')).querySelector('[data-host="cdn.jsdelivr.net"]');
    await user.click(row?.querySelector('button') as HTMLElement);
    await waitFor(() =>
      expect(core.called('third_parties_answer').at(-1)).toEqual({
        id: PROD,
        origins: ['https://cdn.jsdelivr.net'],
        allow: true,
      }),
    );
    expect((await screen.findByTestId('third-parties-banner')).textContent).not.toContain('jsdelivr');
  });
});
