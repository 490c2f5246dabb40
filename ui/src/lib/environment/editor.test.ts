import { screen, waitFor } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';

import { field, PROD, shows, value } from '../../test-shows';
import type { EnvironmentDraft, LookReport, SignInMethod } from '../ipc/types';

type User = Awaited<ReturnType<typeof shows>>['user'];

async function adding() {
  const shown = await shows('active');
  await shown.user.click(screen.getByTestId('add-environment'));
  expect(document.activeElement).toBe(await field('base_url'));
  return shown;
}

async function editing(scenario: string) {
  const shown = await shows(scenario);
  await shown.user.click(screen.getByTestId('bar-menu'));
  await shown.user.click(screen.getByTestId('menu-edit'));
  await field('base_url');
  return shown;
}

async function choose(user: User, method: string) {
  await user.click(screen.getByTestId('method-chooser'));
  await user.click(await screen.findByTestId(`method-${method}`));
  await waitFor(() => expect(screen.getByTestId('method-chooser').dataset.method).toBe(method));
}

const found = (what: string) =>
  waitFor(() => expect(screen.getByTestId('look-report').dataset.found).toBe(what));

it('a pasted token needs an address, a name and nothing else', async () => {
  const { core, user } = await adding();
  await user.keyboard('https://admin.globex.example/asyncmq');
  await user.type(await field('name'), 'Globex');
  await found('token');
  await user.click(screen.getByTestId('save-environment'));
  await screen.findByTestId('token-field');
  expect(core.called('environment_add')[0]?.draft).toMatchObject({
    tag: 'GLOBEX',
    sign_in: { method: 'pasted_token' },
    network: { proxy: '', extra_headers: [], tunnel: null },
  });
});

describe('a look at the address', () => {
  it.each([
    ['open', 'open', 'answers whoever asks', { method: 'none' }],
    ['login', 'login_form', 'a login form of its own', { method: 'login_form', user_field: 'username' }],
    [
      'sso',
      'sent_elsewhere',
      'identity provider at id.acme.example',
      { method: 'openid_connect', issuer: 'https://id.acme.example/realms/operations', client_id: '' },
    ],
  ])('of %s proposes a method that one press takes', async (host, what, words, sign_in) => {
    const { core, user } = await adding();
    await user.keyboard(`https://${host}.acme.example`);
    await user.tab();
    await found(what);
    expect(core.called('environment_look')).toEqual([
      { base_url: `https://${host}.acme.example`, allow_plain_http: false },
    ]);
    expect(screen.getByTestId('look-report').textContent).toContain(words);
    await user.click(screen.getByTestId('look-accept'));
    await screen.findByTestId('look-taken');
    expect(screen.getByTestId('method-chooser').dataset.method).toBe(sign_in.method);
    await waitFor(() =>
      expect((core.called('environment_check').at(-1)?.draft as EnvironmentDraft).sign_in).toMatchObject(
        sign_in,
      ),
    );
  });

  it.each([
    ['token', 'token', 'It says: Sign in with a bearer token'],
    ['access', 'sent_elsewhere', 'acme.cloudflareaccess.example'],
    ['forbidden', 'refused', 'answers 403'],
    ['nothing', 'not_found', 'Add the path'],
    ['down', 'unreachable', 'does not resolve'],
  ])('of %s says what was found', async (host, what, words) => {
    const { user } = await adding();
    await user.keyboard(`https://${host}.acme.example`);
    await user.click(screen.getByTestId('look'));
    await found(what);
    expect(screen.getByTestId('look-report').textContent).toContain(words);
    expect(screen.queryByTestId('look-accept')).toBeNull();
  });

  it('offers addresses that would work, and looks again', async () => {
    const { core, user } = await adding();
    await user.keyboard('https://missing.acme.example');
    await user.tab();
    await found('not_found');
    await user.click(screen.getByTestId('look-instead'));
    await found('login_form');
    expect(value(await field('base_url'))).toBe('https://missing.acme.example/asyncmq/admin');
    expect(core.called('environment_look')).toHaveLength(2);
  });

  it('that answers after the address was changed is dropped', async () => {
    const { core, user } = await adding();
    const inner = core.call.bind(core);
    let answer: (report: LookReport) => void = () => undefined;
    core.call = (command, args) =>
      command === 'environment_look' ? new Promise((done) => (answer = done)) : inner(command, args);
    await user.keyboard('https://open.acme.example');
    await user.click(screen.getByTestId('look'));
    expect(screen.getByTestId('look-report').textContent).toContain('Looking at open.acme.example');
    await user.type(await field('base_url'), '/asyncmq');
    answer({ found: 'open' });
    await waitFor(() => expect(screen.getByTestId('look-report').textContent).not.toContain('Looking'));
    expect(screen.getByTestId('look-report').dataset.found).toBeUndefined();
  });

  it('is not taken by itself when an environment is edited', async () => {
    const { core, user } = await editing('active');
    await user.tab();
    expect(core.called('environment_look')).toEqual([]);
    expect(screen.queryByTestId('look-report')).toBeNull();
  });
});

describe('the chooser', () => {
  it('is searched by typing', async () => {
    const { user } = await adding();
    screen.getByTestId('method-chooser').focus();
    await user.keyboard('{Enter}');
    await screen.findByTestId('method-device_code');
    await user.keyboard('dev');
    await user.keyboard('{Enter}');
    await waitFor(() => expect(screen.getByTestId('method-chooser').dataset.method).toBe('device_code'));
    await screen.findByTestId('settings-device_code');
  });

  it('is left by Escape, and the editor stays', async () => {
    const { user } = await adding();
    screen.getByTestId('method-chooser').focus();
    await user.keyboard('{Enter}');
    await screen.findByTestId('method-none');
    await user.keyboard('{Escape}');
    await waitFor(() => expect(screen.queryByTestId('method-none')).toBeNull());
    expect(screen.queryByTestId('panel-environment')).not.toBeNull();
  });

  it('loses nothing of a method that was looked away from', async () => {
    const { user } = await adding();
    await choose(user, 'openid_connect');
    await user.type(await field('sign_in.issuer'), 'https://id.acme.example');
    await choose(user, 'none');
    expect(screen.queryByTestId('field-sign_in.issuer')).toBeNull();
    await choose(user, 'openid_connect');
    expect(value(await field('sign_in.issuer'))).toBe('https://id.acme.example');
  });
});

describe('the form of', () => {
  it.each([
    ['local_signing', 'sign_in.subject'],
    ['token_endpoint', 'sign_in.url'],
    ['openid_connect', 'sign_in.issuer'],
    ['device_code', 'sign_in.issuer'],
    ['client_credentials', 'sign_in.issuer'],
    ['fixed_headers', 'sign_in.names'],
    ['external_command', 'sign_in.command'],
  ])('%s says at %s what is wrong with it', async (method, name) => {
    const { user } = await adding();
    await choose(user, method);
    await user.type(await field('name'), 'Globex');
    await user.type(await field('base_url'), 'https://globex.example');
    await user.click(screen.getByTestId('save-environment'));
    await screen.findByTestId(`error-${name}`);
    const wrong = await field(name);
    expect(wrong.getAttribute('aria-invalid')).toBe('true');
    expect(wrong.getAttribute('aria-describedby')).toContain(`${name}-error`);
  });

  const typed: [string, [string, string][], Partial<SignInMethod>][] = [
    [
      'local_signing',
      [
        ['sign_in.subject', 'console'],
        ['sign_in.roles', 'operator, queue admin'],
        ['sign_in.lifetime', '6x0'],
      ],
      // 300 was there before.
      { subject: 'console', roles: ['operator', 'queue admin'], lifetime: 30060 } as Partial<SignInMethod>,
    ],
    [
      'openid_connect',
      [
        ['sign_in.issuer', 'https://id.acme.example'],
        ['sign_in.client_id', 'console'],
        ['sign_in.redirect_ports', '8400, 8401'],
        ['sign_in.extra_parameters', 'kc_idp_hint'],
        ['sign_in.extra_parameters.value', 'corp'],
      ],
      {
        client_id: 'console',
        redirect_ports: [8400, 8401],
        scopes: ['openid', 'profile', 'offline_access'],
        extra_parameters: [{ name: 'kc_idp_hint', value: 'corp' }],
      } as Partial<SignInMethod>,
    ],
    [
      'device_code',
      [
        ['sign_in.issuer', 'https://id.acme.example'],
        ['sign_in.client_id', 'console'],
        ['sign_in.scopes', ' jobs:read'],
      ],
      { scopes: ['openid', 'profile', 'offline_access', 'jobs:read'] } as Partial<SignInMethod>,
    ],
    [
      'client_credentials',
      [
        ['sign_in.issuer', 'https://id.acme.example'],
        ['sign_in.client_id', 'console'],
      ],
      { client_authentication: 'basic', algorithm: 'ES256' } as Partial<SignInMethod>,
    ],
    [
      'token_endpoint',
      [
        ['sign_in.url', 'https://id.acme.example/token'],
        ['sign_in.extra_fields', '{{"realm": "ops"}'],
      ],
      { encoding: 'json', extra_fields: '{"realm": "ops"}' } as Partial<SignInMethod>,
    ],
    ['login_form', [['sign_in.user_field', '_id']], { user_field: 'username_id' } as Partial<SignInMethod>],
    [
      'fixed_headers',
      [
        ['sign_in.names', 'X-User'],
        ['sign_in.names.1', 'X-Secret'],
      ],
      { names: ['X-User', 'X-Secret'] } as Partial<SignInMethod>,
    ],
    [
      'external_command',
      [
        ['sign_in.command', 'acme-token'],
        ['sign_in.command.arguments', '--audience'],
        ['sign_in.command.arguments.1', 'a b $HOME'],
      ],
      {
        command: { program: 'acme-token', arguments: ['--audience', 'a b $HOME'] },
        timeout: 30,
      } as Partial<SignInMethod>,
    ],
  ];
  it.each(typed)('%s saves what was typed', async (method, fields, saved) => {
    const { core, user } = await adding();
    await user.keyboard('https://globex.example');
    await user.type(await field('name'), 'Globex');
    await choose(user, method);
    for (const [name, text] of fields) await user.type(await field(name), text);
    await user.click(screen.getByTestId('save-environment'));
    await waitFor(() => expect(core.called('environment_add')).toHaveLength(1));
    const draft = core.called('environment_add')[0]?.draft as EnvironmentDraft;
    expect(draft.sign_in).toMatchObject({ method, ...saved });
  });
});

it('a port that is none is said in place, and nothing is saved', async () => {
  const { core, user } = await editing('edit-openid_connect');
  await user.type(await field('sign_in.redirect_ports'), '8400 99999');
  expect((await screen.findByTestId('error-sign_in.redirect_ports')).textContent).toContain('99999');
  await user.click(screen.getByTestId('save-environment'));
  expect(document.activeElement).toBe(await field('sign_in.redirect_ports'));
  expect(core.called('environment_update')).toEqual([]);
});

it('a list grows where one types, shrinks by Backspace, and takes a paste of several lines', async () => {
  const { core, user } = await editing('edit-fixed_headers');
  const first = await field('sign_in.names');
  expect(value(first)).toBe('CF-Access-Client-Id');
  await user.click(await field('sign_in.names.2'));
  await user.keyboard('X-One{Enter}X-Two');
  expect(value(await field('sign_in.names.3'))).toBe('X-Two');
  await user.click(screen.getByTestId('remove-sign_in.names.0'));
  await waitFor(async () => expect(value(await field('sign_in.names'))).toBe('CF-Access-Client-Secret'));
  await user.clear(await field('sign_in.names.1'));
  await user.keyboard('{Backspace}');
  await waitFor(async () => expect(document.activeElement).toBe(await field('sign_in.names')));
  await user.click(await field('sign_in.names.2'));
  await user.paste('X-Three\nX-Four\n');
  await user.click(screen.getByTestId('save-environment'));
  await waitFor(() => expect(core.called('environment_update')).toHaveLength(1));
  expect((core.called('environment_update')[0]?.draft as EnvironmentDraft).sign_in).toEqual({
    method: 'fixed_headers',
    names: ['CF-Access-Client-Secret', 'X-Two', 'X-Three', 'X-Four'],
  });
});

describe('the network', () => {
  it('is saved, and a tunnel without a word is none', async () => {
    const { core, user } = await editing('active');
    await user.type(await field('network.proxy'), 'socks5h://127.0.0.1:1080');
    await user.type(await field('network.extra_headers'), 'CF-Access-Client-Id');
    await user.type(await field('network.tunnel'), ' ');
    await user.type(await field('network.first_byte_seconds'), '1 20s');
    await user.click(screen.getByTestId('save-environment'));
    await waitFor(() => expect(core.called('environment_update')).toHaveLength(1));
    expect((core.called('environment_update')[0]?.draft as EnvironmentDraft).network).toMatchObject({
      proxy: 'socks5h://127.0.0.1:1080',
      extra_headers: ['CF-Access-Client-Id'],
      tunnel: null,
      first_byte_seconds: 120,
    });
    // What the sign-in now asks for besides.
    core.patch(PROD, { session: { status: 'signed_out', problem: null }, page: null });
    await screen.findByTestId('ask-header:CF-Access-Client-Id');
  });

  it('opens by itself when something in it is wrong', async () => {
    const { user } = await editing('active');
    const details = screen.getByTestId('network').closest('details');
    await user.type(await field('network.proxy'), 'nonsense');
    await screen.findByTestId('error-network.proxy');
    expect(details?.open).toBe(true);
  });

  it('says in its line what is set', async () => {
    await editing('edit-everything');
    expect(screen.getByTestId('network').textContent).toContain(
      'private CA, client certificate, proxy, 3 extra headers and cookies, tunnel, 90 s for an answer',
    );
  });
});

it('an error of a field that is not on the screen is said all the same', async () => {
  const { core, user } = await editing('active');
  const inner = core.call.bind(core);
  core.call = (command, args) =>
    command === 'environment_update'
      ? Promise.resolve({
          status: 'invalid',
          report: {
            errors: [{ field: 'sign_in.novelty', message: 'Nobody knows this.' }],
            base_url: null,
            moves_credential: false,
          },
        })
      : inner(command, args);
  await user.click(screen.getByTestId('save-environment'));
  expect((await screen.findByTestId('error-sign_in.novelty')).textContent).toContain('Nobody knows this.');
});

it('a save that ends late does not close what was opened meanwhile', async () => {
  const { core, user } = await shows('active');
  await user.click(screen.getByTestId('bar-menu'));
  await user.click(screen.getByTestId('menu-edit'));
  await user.type(await field('name'), ' 2');
  core.delay = 100;
  await user.click(screen.getByTestId('save-environment'));
  await user.click(screen.getByTestId('bar-operator'));
  await screen.findByTestId('panel-identity');
  await waitFor(() =>
    expect(core.state.environments.some(({ draft }) => draft.name.endsWith(' 2'))).toBe(true),
  );
  await new Promise((done) => setTimeout(done, 0));
  expect(screen.queryByTestId('panel-identity')).not.toBeNull();
});
