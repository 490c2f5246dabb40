import { screen, waitFor, within } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';

import { PROD, shows, value } from '../../test-shows';
import { problem } from '../ipc/fake/views';
import { announcer } from '../ui/announce.svelte';
import { wordsOf } from './command-words';
import { spelled } from './spelled';

const inputs = () =>
  [...document.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>('main input, main textarea')].filter(
    (one) => one.type !== 'checkbox',
  );

it.each([
  ['signed-out', 'Sign in', ['token-field']],
  ['ask-local_signing', 'Sign in', ['ask-key']],
  ['ask-token_endpoint', 'Sign in', ['ask-user', 'ask-password', 'ask-remember']],
  ['ask-openid_connect', 'Sign in in the browser', []],
  ['ask-device_code', 'Get a code', []],
  ['ask-client_credentials', 'Sign in', ['ask-client_private_key']],
  ['ask-login_form', 'Sign in', ['ask-user', 'ask-password', 'ask-remember']],
  ['ask-fixed_headers', 'Sign in', ['ask-CF-Access-Client-Id', 'ask-CF-Access-Client-Secret']],
  ['ask-external_command', 'Run the command', []],
  ['ask-none', 'Open the dashboard', []],
])('%s has the button "%s" and asks for %j', async (scenario, words, asks) => {
  await shows(scenario);
  const button = await screen.findByTestId('sign-in');
  expect(button.textContent).toBe(words);
  const asked = [...screen.getByTestId('ask-form').querySelectorAll<HTMLElement>('[data-ask]')];
  expect(asked.map((one) => one.dataset.testid)).toEqual(asks);
  expect(document.activeElement).toBe(asked[0] ?? button);
});

it('what is asked for has the right control', async () => {
  await shows('ask-everything');
  const control = (key: string) => screen.getByTestId(`ask-${key}`) as HTMLInputElement;
  expect(control('user').type).toBe('text');
  expect(control('password').type).toBe('password');
  expect(control('remember').type).toBe('checkbox');
  expect(control('client_key').tagName).toBe('TEXTAREA');
  expect(control('header:CF-Access-Client-Id').type).toBe('password');
  expect(control('password').getAttribute('aria-required')).toBe('true');
  expect(control('client_key').getAttribute('aria-required')).toBeNull();
  expect(screen.getByLabelText(/Client certificate’s password/, { selector: 'input' }).dataset.testid).toBe(
    'ask-client_key_password',
  );
});

it('every field is empty before the core is asked, and the user name comes back after a failure', async () => {
  const { core, user } = await shows('ask-login_form');
  await user.type(await screen.findByTestId('ask-user'), 'alice');
  await user.type(screen.getByTestId('ask-password'), 'rejected');
  await user.click(screen.getByTestId('ask-remember'));

  const inner = core.call.bind(core);
  let held: string[] | null = null;
  core.call = (command, args) => {
    if (command === 'sign_in') {
      expect(args.answers).toEqual({ user: 'alice', password: 'rejected', remember: 'yes' });
      held = inputs().map(value);
    }
    return inner(command, args);
  };
  await user.click(screen.getByTestId('sign-in'));
  expect(held).toEqual(['', '']);
  await screen.findByTestId('sign-in-error');
  expect(value(screen.getByTestId('ask-user'))).toBe('alice');
  expect(value(screen.getByTestId('ask-password'))).toBe('');
  expect(document.activeElement).toBe(screen.getByTestId('ask-password'));
  expect(document.documentElement.outerHTML).not.toContain('rejected"');
});

it('a key and header values are emptied as well', async () => {
  const { core, user } = await shows('ask-client_credentials');
  core.failing = { sign_in: problem('internal', 'It could not be tried') };
  await user.click(await screen.findByTestId('ask-client_private_key'));
  await user.paste('-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n');
  expect(value(screen.getByTestId('ask-client_private_key'))).toContain('canary');
  await user.click(screen.getByTestId('sign-in'));
  await screen.findByTestId('sign-in-error');
  expect(value(screen.getByTestId('ask-client_private_key'))).toBe('');
  expect(document.documentElement.outerHTML).not.toContain('canary');
  expect(JSON.stringify(core.calls)).not.toContain('canary');
});

it('a secret that was shown is hidden again once it was sent, and the switch is reached by keyboard', async () => {
  const { user } = await shows('ask-local_signing');
  await screen.findByTestId('ask-key');
  await user.tab();
  const reveal = screen.getByTestId('reveal-key');
  expect(document.activeElement).toBe(reveal);
  await user.keyboard(' ');
  expect(reveal.getAttribute('aria-pressed')).toBe('true');
  await user.type(screen.getByTestId('ask-key'), 'rejected');
  await user.click(screen.getByTestId('sign-in'));
  await waitFor(() =>
    expect(screen.queryByTestId('reveal-key')?.getAttribute('aria-pressed')).not.toBe('true'),
  );
});

it('what is needed and not there is said at the field, and the core is not asked', async () => {
  const { core, user } = await shows('ask-login_form');
  await user.type(await screen.findByTestId('ask-user'), 'alice');
  await user.click(screen.getByTestId('sign-in'));
  expect(screen.getByTestId('ask-missing-password').textContent).toContain('needed');
  expect(screen.queryByTestId('ask-missing-user')).toBeNull();
  expect(document.activeElement).toBe(screen.getByTestId('ask-password'));
  // Nothing was sent, so nothing has to be typed again.
  expect(value(screen.getByTestId('ask-user'))).toBe('alice');
  expect(core.called('sign_in')).toEqual([]);
});

describe('what is stored', () => {
  it('need not be typed', async () => {
    const { core, user } = await shows('login-form-stored');
    expect((await screen.findByTestId('ask-stored-password')).textContent).toContain('leave it empty');
    expect(screen.getByTestId('ask-password').getAttribute('aria-required')).toBeNull();
    expect((screen.getByTestId('ask-remember') as HTMLInputElement).checked).toBe(true);
    await user.click(screen.getByTestId('ask-remember'));
    await user.click(screen.getByTestId('sign-in'));
    expect(core.called('sign_in')).toEqual([{ id: PROD, answers: { remember: '(2 characters)' } }]);
    expect(screen.queryByTestId('use-stored')).toBeNull();
  });

  it('is a way of its own where the sign-in is elsewhere', async () => {
    const { core, user } = await shows('openid-stored');
    await user.click(await screen.findByTestId('use-stored'));
    expect(core.called('sign_in_with_stored')).toEqual([{ id: PROD }]);
  });

  it('is not what is offered first once it was refused', async () => {
    const { core } = await shows('refused');
    core.patch(PROD, { stored_credential: { status: 'ready' } });
    const again = await screen.findByTestId('use-stored');
    expect([again.textContent?.trim(), again.className.includes('primary')]).toEqual(['Try it again', false]);
    expect(screen.getByTestId('sign-in').className).toContain('primary');
  });

  it('is a way of its own beside a pasted token, which is then needed', async () => {
    const { core, user } = await shows('stored');
    core.patch(PROD, {
      asks: core.state.environments[0]?.asks.map((ask) => ({ ...ask, stored: true })) ?? [],
    });
    await screen.findByTestId('use-stored');
    await user.click(screen.getByTestId('sign-in'));
    expect(screen.getByTestId('ask-missing-token').textContent).toBe('Paste a token first.');
  });

  it('is no way back in when its time is up', async () => {
    const { core } = await shows('expired');
    core.patch(PROD, {
      stored_credential: { status: 'ready' },
      asks: core.state.environments[0]?.asks.map((ask) => ({ ...ask, stored: true })) ?? [],
    });
    expect((await screen.findByTestId('token-field')).getAttribute('aria-required')).toBe('true');
    expect(screen.queryByTestId('use-stored')).toBeNull();
    expect(screen.queryByTestId('ask-stored-token')).toBeNull();
  });
});

it('the end of a session without a token is said without a token', async () => {
  await shows('login-form-expired');
  const why = await screen.findByTestId('sign-in-why');
  expect(why.textContent).toMatch(/Your session on PROD ended at /);
  expect(why.textContent).not.toMatch(/token/i);
  expect(screen.queryByTestId('why')).toBeNull();
});

describe('approvals', () => {
  it('come before any field, in full, and the keyboard is not on Approve', async () => {
    const { core, user } = await shows('approvals');
    await screen.findByTestId('approvals');
    expect(screen.queryByTestId('sign-in')).toBeNull();
    const command = within(screen.getByTestId('approval-command'));
    expect(command.getAllByRole('listitem').map((one) => one.textContent)).toEqual([
      '/usr/local/bin/acme-token',
      '--audience',
      'asyncmq-admin',
      '--format=json',
    ]);
    const tunnel = within(screen.getByTestId('approval-tunnel'));
    expect(tunnel.getAllByRole('listitem').map((one) => one.textContent)).toContain('""');
    expect(screen.getByTestId('approval-proxy').textContent).toContain('socks5h://proxy.acme.example:1080');
    expect(screen.getByTestId('approval-ca').textContent).toContain('operations-root-2024.pem');
    expect(document.activeElement).not.toBe(screen.getByTestId('approve'));
    await user.keyboard('{Enter}');
    expect(core.called('approvals_accept')).toEqual([]);
    await user.click(screen.getByTestId('approve'));
    expect(core.called('approvals_accept')).toEqual([{ id: PROD }]);
    expect((await screen.findByTestId('sign-in')).textContent).toBe('Run the command');
    expect(core.called('sign_in')).toEqual([]);
  });

  it('can wait, and nothing is used', async () => {
    const { core, user } = await shows('approvals');
    await user.click(await screen.findByTestId('approvals-later'));
    expect(screen.queryByTestId('sign-in')).toBeNull();
    expect(core.called('approvals_accept')).toEqual([]);
    await user.click(screen.getByTestId('approvals-show'));
    await screen.findByTestId('approve');
  });

  it.each([
    ['"a" "b c" ""', ['a', '"b c"', '""']],
    ['"say \\"hi\\"" "x"', ['"say \\"hi\\""', 'x']],
    ['http://proxy.example:3128', null],
    ['/etc/ca.pem\nSHA-256 00', null],
    ['"unfinished', null],
  ])('%j is shown as the words %j', (shown, words) => {
    expect(wordsOf(shown)).toEqual(words);
  });
});

describe('a device code', () => {
  it('is large, spelled for who cannot see it, and can be cancelled', async () => {
    const { core, user } = await shows('ask-device_code');
    await user.click(await screen.findByTestId('sign-in'));
    await screen.findByTestId('step-device-code');
    expect(screen.getByTestId('user-code').textContent).toBe('WDJB-MJHT');
    expect(announcer.text).toContain('W D J B, dash, M J H T');
    expect(announcer.text).toContain('id.acme.example');
    expect(screen.getByTestId('verification-uri').textContent).toBe('https://id.acme.example/device');
    expect(screen.getByTestId('qr-code').getAttribute('aria-label')).toContain('with the code in it');
    expect(screen.getByTestId('step-time').textContent).toMatch(/14 min/);
    await user.click(screen.getByTestId('step-open'));
    expect(core.called('sign_in_browser')).toEqual([{ id: PROD }]);
    await user.click(screen.getByTestId('sign-in-cancel'));
    expect(core.called('sign_in_cancel')).toEqual([{ id: PROD }]);
    expect((await screen.findByTestId('sign-in')).textContent).toBe('Get a code');
  });

  it.each([
    ['WDJB-MJHT', 'W D J B, dash, M J H T'],
    ['123 456', '1 2 3 4 5 6'],
  ])('%s is spelled %s', (code, words) => {
    expect(spelled(code)).toBe(words);
  });
});

it('a sign-in in the browser can be opened again, and goes on by itself', async () => {
  const { core, user } = await shows('ask-openid_connect');
  await user.click(await screen.findByTestId('sign-in'));
  await screen.findByTestId('step-browser');
  expect(screen.getByTestId('step-url').textContent).toContain('https://id.acme.example/');
  await user.click(screen.getByTestId('step-open'));
  expect(core.called('sign_in_browser')).toEqual([{ id: PROD }]);
  core.finish(PROD);
  await waitFor(() => expect(core.cover).toEqual({ kind: 'none' }));
});
