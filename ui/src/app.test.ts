import { screen, waitFor } from '@testing-library/svelte';
import { expect, it } from 'vitest';

import { problem } from './lib/ipc/fake/views';
import { field, PROD, shows, value } from './test-shows';

it('the first start leads to an environment by typing alone', async () => {
  const { core, user } = await shows('first-run');
  expect(document.activeElement).toBe(screen.getByTestId('first-environment'));
  await user.keyboard('{Enter}');
  expect(document.activeElement).toBe(await field('base_url'));
  await user.keyboard('admin.acme.example/asyncmq/');
  await user.tab();
  expect(document.activeElement).toBe(screen.getByTestId('look'));
  await user.tab();
  expect(document.activeElement).toBe(await field('name'));
  await user.keyboard('Acme production');
  await user.click(screen.getByTestId('save-environment'));
  await screen.findByTestId('panel-sign-in');
  expect(core.called('environment_add')[0]?.draft).toMatchObject({
    name: 'Acme production',
    tag: 'PROD',
    accent: 'red',
  });
  expect(screen.getByTestId('bar-tag').textContent).toBe('PROD');
});

it('the token field is empty before the core answers, and stays so when it fails', async () => {
  const { core, user } = await shows('signed-out');
  core.failing = {
    sign_in: problem('internal', 'The sign-in could not be tried', 'The keychain is busy.'),
  };
  const token = await screen.findByTestId('token-field');
  expect((token as HTMLInputElement).type).toBe('password');
  await user.type(token, 'canary-token');

  // At the very moment of the call nothing on the page holds it any more.
  const inner = core.call.bind(core);
  let held: string[] | null = null;
  core.call = (command, args) => {
    if (command === 'sign_in') {
      expect(args.answers).toEqual({ token: 'canary-token' });
      held = [...document.querySelectorAll('input')].map((input) => input.value);
    }
    return inner(command, args);
  };
  await user.click(screen.getByTestId('sign-in'));
  expect(held).toEqual(['']);
  expect(document.documentElement.outerHTML).not.toContain('canary-token');
  const error = await screen.findByTestId('sign-in-error');
  expect(error.textContent).toContain('The keychain is busy.');
  expect(value(await screen.findByTestId('token-field'))).toBe('');
});

it('a rejected token is explained with what it says', async () => {
  const { user } = await shows('signed-out');
  await user.type(await screen.findByTestId('token-field'), 'rejected{Enter}');
  const error = await screen.findByTestId('sign-in-error');
  expect(error.textContent).toContain('PROD did not accept this token');
  expect(screen.getByTestId('claim-aud').textContent).toBe('asyncmq-staging');
});

it('findings are confirmed before a token is used', async () => {
  const { core, user } = await shows('signed-out');
  await user.type(await screen.findByTestId('token-field'), 'opaque{Enter}');
  expect(await screen.findAllByTestId('finding')).toHaveLength(2);
  await user.click(screen.getByTestId('confirm-sign-in'));
  await waitFor(() => expect(core.called('sign_in_confirm')).toEqual([{ id: PROD, attempt: 'attempt-1' }]));
  await waitFor(() => expect(core.cover).toEqual({ kind: 'none' }));
});

it('findings survive a look at another environment', async () => {
  const { user } = await shows('signed-out');
  await user.type(await screen.findByTestId('token-field'), 'opaque{Enter}');
  await screen.findByTestId('findings');
  await user.click(screen.getByTestId('env-0f1e2d3c4b5a6978'));
  await waitFor(() => expect(screen.queryByTestId('findings')).toBeNull());
  await user.click(screen.getByTestId(`env-${PROD}`));
  await screen.findByTestId('findings');
});

it('a sign-in under way says so in the bar and can be cancelled there', async () => {
  const { core, user } = await shows('signed-out');
  await user.type(await screen.findByTestId('token-field'), 'never{Enter}');
  await screen.findByTestId('signing-in');
  expect(screen.getByTestId('bar-signing-in').textContent).toContain('Signing in to PROD');
  await user.click(screen.getByTestId('bar-sign-in-cancel'));
  expect(core.called('sign_in_cancel')).toEqual([{ id: PROD }]);
  await screen.findByTestId('token-field');
  expect(screen.queryByTestId('sign-in-error')).toBeNull();
});

it('expired says when and why, in plain words', async () => {
  await shows('expired');
  expect((await screen.findByTestId('problem-title')).textContent).toMatch(/^Your session on PROD ended at /);
  expect(screen.queryByTestId('use-stored')).toBeNull();
});

it('a moved token is used only after old and new were shown', async () => {
  const { core, user } = await shows('moved');
  expect((await screen.findByTestId('moved-from')).textContent).toBe('https://admin.acme.example/asyncmq');
  expect(screen.getByTestId('moved-to').textContent).toBe('https://console.acme.example/asyncmq');
  await user.click(screen.getByTestId('moved-confirm'));
  expect(core.called('stored_credential_confirm')).toEqual([{ id: PROD }]);
});

it('signing out starts on Cancel, and Escape stays', async () => {
  const { core, user } = await shows('sign-out');
  const cancel = await screen.findByTestId('sign-out-cancel');
  await waitFor(() => expect(document.activeElement).toBe(cancel));
  await user.keyboard('{Escape}');
  await waitFor(() => expect(core.called('sign_out_cancel')).toEqual([{ id: PROD }]));
  expect(core.called('sign_out')).toEqual([]);
});

it.each([
  ['sign-out-keep', false],
  ['sign-out-remove', true],
])('%s signs out with forget = %s', async (id, forget) => {
  const { core, user } = await shows('sign-out');
  await user.click(await screen.findByTestId(id));
  await waitFor(() => expect(core.called('sign_out')).toEqual([{ id: PROD, forget }]));
});

it('a link outside names its host, and Enter opens nothing', async () => {
  const { core, user } = await shows('external');
  const stay = await screen.findByTestId('external-stay');
  expect(screen.getByTestId('panel-external-link').textContent).toContain(
    'Open docs.partner.example in your browser?',
  );
  await waitFor(() => expect(document.activeElement).toBe(stay));
  await user.keyboard('{Enter}');
  await waitFor(() => expect(core.called('external_link_answer')).toEqual([{ id: 'link-1', open: false }]));
});

it('what was typed in the editor survives a failure and a look elsewhere', async () => {
  const { core, user } = await shows('active');
  core.failing = {
    environment_add: problem('disk_full', 'The settings could not be written', 'No space left.'),
  };
  await user.click(screen.getByTestId('add-environment'));
  await user.type(await field('name'), 'Globex');
  await user.type(await field('base_url'), 'https://globex.example');
  await user.click(screen.getByTestId('save-environment'));
  expect((await screen.findByTestId('save-error')).textContent).toContain('No space left.');
  expect(value(await field('name'))).toBe('Globex');

  await user.click(screen.getByTestId(`env-${PROD}`));
  await waitFor(() => expect(screen.queryByTestId('panel-environment')).toBeNull());
  await user.click(screen.getByTestId('add-environment'));
  expect(value(await field('base_url'))).toBe('https://globex.example');
  await user.click(screen.getByTestId('start-over'));
  expect(value(await field('base_url'))).toBe('');
});

it('errors of a field are said at the field', async () => {
  const { user } = await shows('active');
  await user.click(screen.getByTestId('add-environment'));
  await user.type(await field('base_url'), 'http://admin.globex.example');
  expect((await screen.findByTestId('error-base_url')).textContent).toContain('Plain http');
  expect((await field('base_url')).getAttribute('aria-invalid')).toBe('true');
  expect(screen.queryByTestId('error-name')).toBeNull();
  await user.click(screen.getByTestId('save-environment'));
  await screen.findByTestId('error-name');
  // The first that is wrong.
  expect(document.activeElement).toBe(await field('base_url'));
});

it('the rail is put in order by the keyboard', async () => {
  const { core, user } = await shows('active');
  screen.getByTestId(`env-${PROD}`).focus();
  await user.keyboard('{Alt>}{ArrowDown}{/Alt}');
  await waitFor(() =>
    expect(core.state.environments.map((one) => one.draft.tag)).toEqual(['STAGE', 'PROD', 'DEV']),
  );
  expect(document.activeElement).toBe(screen.getByTestId(`env-${PROD}`));
});

it('an order that the core has taken stays while its state is on the way, and so does the keyboard', async () => {
  const { core, user } = await shows('active');
  const item = screen.getByTestId(`env-${PROD}`);
  const shown = () => [...document.querySelectorAll<HTMLElement>('.rail [data-environment]')];
  item.focus();
  core.holdStates();
  await user.keyboard('{Alt>}{ArrowDown}{/Alt}');
  await waitFor(() => expect(core.called('environment_reorder')).toHaveLength(1));
  await new Promise((done) => setTimeout(done));
  expect(shown().indexOf(item)).toBe(1);
  expect(document.activeElement).toBe(item);
  core.letStatesIn();
  await new Promise((done) => setTimeout(done));
  expect(shown().indexOf(item)).toBe(1);
  expect(document.activeElement).toBe(item);

  // One that the core refuses goes back.
  core.failing = { environment_reorder: problem('disk_full', 'The settings could not be written') };
  await user.keyboard('{Alt>}{ArrowDown}{/Alt}');
  await waitFor(() => expect(core.called('environment_reorder')).toHaveLength(2));
  await waitFor(() => expect(shown().indexOf(item)).toBe(1));
});

it('a command of the bar that fails says so under the bar', async () => {
  const { core, user } = await shows('active');
  core.failing = {
    protection_set: problem('disk_full', 'The settings could not be written', 'No space left.'),
  };
  await user.click(screen.getByTestId('bar-protection'));
  expect((await screen.findByTestId('failure')).textContent).toContain('No space left.');
  await user.click(screen.getByTestId('failure-dismiss'));
  await waitFor(() => expect(screen.queryByTestId('failure')).toBeNull());
});

it('the menu leaves by Escape, with the keyboard back on its button', async () => {
  const { user } = await shows('active');
  await user.click(screen.getByTestId('bar-menu'));
  await user.keyboard('{ArrowRight}');
  expect(document.activeElement).toBe(screen.getByTestId('menu-edit'));
  await user.keyboard('{Escape}');
  expect(screen.queryByTestId('menu-edit')).toBeNull();
  expect(document.activeElement).toBe(screen.getByTestId('bar-menu'));
});

it('without a keychain nothing is stored until the operator agrees', async () => {
  const { core, user } = await shows('keychain');
  await user.click(await screen.findByTestId('keychain-use-memory'));
  await screen.findByTestId('panel-sign-in');
  expect(core.called('keychain_use_memory')).toHaveLength(1);
  expect(screen.getByTestId('token-hint').textContent).toContain('for this run only');
});

it('removing asks first', async () => {
  const { core, user } = await shows('active');
  await user.click(screen.getByTestId('bar-menu'));
  await user.click(screen.getByTestId('menu-remove'));
  const stay = await screen.findByTestId('remove-cancel');
  await waitFor(() => expect(document.activeElement).toBe(stay));
  expect(core.cover).toEqual({ kind: 'full' });
  await user.click(screen.getByTestId('remove-confirm'));
  await waitFor(() => expect(core.called('environment_remove')).toEqual([{ id: PROD }]));
  await waitFor(() => expect(screen.queryByTestId('panel-remove')).toBeNull());
});

it('a notice is dismissed by its id', async () => {
  const { core, user } = await shows('notices');
  expect(await screen.findAllByTestId('notice')).toHaveLength(3);
  await user.click(screen.getAllByTestId('notice-dismiss')[0] as HTMLElement);
  await waitFor(() => expect(core.called('notice_dismiss')).toEqual([{ id: 'n1' }]));
});

it('nothing is kept in the storage of the webview', async () => {
  const { user } = await shows('signed-out');
  await user.type(await screen.findByTestId('token-field'), 'accepted{Enter}');
  await waitFor(() => expect(screen.queryByTestId('panel-sign-in')).toBeNull());
  expect(window.localStorage.length + window.sessionStorage.length).toBe(0);
  expect(document.cookie).toBe('');
});
