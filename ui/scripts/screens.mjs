// Every screen and panel of the shell, by name; run by itself it photographs them all into ui/shots.

import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const press = (id) => (page) => page.getByTestId(id).click();
const menu = (item) => async (page) => {
  await page.getByTestId('bar-menu').click();
  await page.getByTestId(`menu-${item}`).click();
};
const token = (words) => async (page) => {
  await page.getByTestId('token-field').fill(words);
  await page.getByTestId('sign-in').click();
};
const add = (base_url, then) => async (page) => {
  await page.getByTestId('add-environment').click();
  await page.getByTestId('field-base_url').fill(base_url);
  await page.getByTestId('look').click();
  await page.locator('[data-testid="look-report"][data-found]').waitFor();
  await then?.(page);
};
/** Opens the editor at its sign-in section, with whatever is folded away there unfolded. */
const settings = (method) => async (page) => {
  await menu('edit')(page);
  for (const summary of await page.getByTestId(`settings-${method}`).locator('summary').all()) {
    await summary.click();
  }
  await page.getByTestId('method-chooser').evaluate((element) => element.scrollIntoView());
};
const plain = (name) => ({ name, scenario: name });

const methods = [
  'local_signing',
  'token_endpoint',
  'openid_connect',
  'device_code',
  'client_credentials',
  'login_form',
  'fixed_headers',
  'external_command',
  'none',
];

export const screens = [
  ...[
    'first-run',
    'active',
    'open',
    'demo',
    'opaque',
    'expiring',
    'opening',
    'signed-out',
    'stored',
    'moved',
    'signing-in',
    'expired',
    'refused',
    'not-admin',
    'switch-account',
    'unreachable',
    'unreachable-yesterday',
    'unreachable-at-first',
    'stalled',
    'renewing',
    'renewing-waits',
    'expiring-renews',
    'expired-not-renewed',
    'held-one',
    'held-three',
    'held-many',
    'held-unreachable',
    'held-expired',
    'held-expired-many',
    'held-switch-account',
    'doctor-begins',
    'doctor-running',
    'doctor-failed',
    'doctor-well',
    'doctor-partly',
    'doctor-dns',
    'sign-out-all',
    'sign-out-all-many',
    'sign-out-all-stored',
    'quit',
    'quit-one',
    'quit-perhaps-done',
    'quit-under-way',
    'quit-many',
    'impaired',
    'notices',
    'sign-out',
    'external',
    'external-odd',
    'keychain',
    'keychain-live',
    'memory',
    'settings-problem',
    'nothing-chosen',
    'many',
  ].map(plain),
  { name: 'held-late', scenario: 'held-late', act: press('held-do') },
  { name: 'history', scenario: 'unreachable', act: menu('history') },
  { name: 'history-empty', scenario: 'signed-out', act: menu('history') },
  { name: 'history-long', scenario: 'history-long', act: menu('history') },
  { name: 'identity-history', scenario: 'renewing', act: press('bar-operator') },
  { name: 'menu', scenario: 'active', act: press('bar-menu') },
  { name: 'about', scenario: 'demo', act: press('about') },
  { name: 'identity', scenario: 'active', act: press('bar-operator') },
  { name: 'keychain-panel', scenario: 'memory', act: press('keychain-sign') },
  { name: 'remove', scenario: 'active', act: menu('remove') },
  { name: 'edit', scenario: 'active', act: menu('edit') },
  { name: 'add', scenario: 'first-run', act: press('first-environment') },
  {
    name: 'add-filled',
    scenario: 'active',
    async act(page) {
      await page.getByTestId('add-environment').click();
      await page.getByTestId('field-name').fill('Globex staging');
      await page.getByTestId('field-base_url').fill('staging.globex.example/asyncmq/');
      await page.getByTestId('normalized').waitFor();
    },
  },
  {
    name: 'add-errors',
    scenario: 'active',
    async act(page) {
      await page.getByTestId('add-environment').click();
      await page.getByTestId('field-base_url').fill('http://admin.globex.example/asyncmq');
      await page.getByTestId('error-base_url').waitFor();
      await page.getByTestId('field-allow_plain_http').check();
      await page.getByTestId('field-header_name').fill('Host');
      await page.getByTestId('save-environment').click();
      await page.getByTestId('error-header_name').waitFor();
    },
  },
  {
    name: 'edit-moves',
    scenario: 'active',
    async act(page) {
      await menu('edit')(page);
      await page.getByTestId('field-base_url').fill('https://console.acme.example/asyncmq');
      await page.getByTestId('moves-credential').waitFor();
    },
  },
  { name: 'rejected', scenario: 'signed-out', act: token('rejected') },
  { name: 'rejected-not-admin', scenario: 'signed-out', act: token('not-admin') },
  { name: 'findings', scenario: 'signed-out', act: token('opaque') },
  { name: 'command-failed', scenario: 'signed-out', act: token('crash') },
  { name: 'trying', scenario: 'signed-out', act: token('never') },
  { name: 'no-token', scenario: 'signed-out', act: press('sign-in') },
  {
    name: 'bar-failure',
    scenario: 'active',
    async act(page) {
      await page.evaluate(() => {
        window.fake.failing = {
          protection_set: {
            code: 'disk_full',
            title: 'The settings could not be written.',
            detail: 'No space left on device.',
            advice: 'Nothing was changed. Make room and try again.',
          },
        };
      });
      await page.getByTestId('bar-protection').click();
      await page.getByTestId('failure').waitFor();
    },
  },
  ...[
    'login-form-stored',
    'login-form-expired',
    'openid-stored',
    'ask-everything',
    'step-browser',
    'step-device-code',
    'step-device-code-long',
    'approvals',
    'copy-token',
    'third-parties',
    'third-parties-many',
    'third-parties-review',
    'third-parties-lost',
    ...methods.map((method) => `ask-${method}`),
  ].map(plain),
  { name: 'ask-missing', scenario: 'ask-login_form', act: press('sign-in') },
  { name: 'approvals-later', scenario: 'approvals', act: press('approvals-later') },
  {
    name: 'login-form-failed',
    scenario: 'ask-login_form',
    async act(page) {
      await page.getByTestId('ask-user').fill('alice');
      await page.getByTestId('ask-password').fill('rejected');
      await page.getByTestId('sign-in').click();
      await page.getByTestId('sign-in-error').waitFor();
    },
  },
  {
    name: 'identity-header',
    scenario: 'identity-renewed',
    async act(page) {
      await page.getByTestId('bar-operator').click();
      await page.getByTestId('token-header').click();
      await page.getByTestId('copy-token').scrollIntoViewIfNeeded();
    },
  },
  { name: 'identity-renewed', scenario: 'identity-renewed', act: press('bar-operator') },
  { name: 'identity-long', scenario: 'identity-long', act: press('bar-operator') },
  { name: 'identity-cookie', scenario: 'identity-cookie', act: press('bar-operator') },
  { name: 'sign-out-cookie', scenario: 'identity-cookie', act: menu('sign-out') },
  ...['open', 'login', 'token', 'sso', 'access', 'forbidden', 'missing', 'nothing', 'down'].map((host) => ({
    name: `look-${host}`,
    scenario: 'active',
    act: add(`https://${host}.acme.example/asyncmq`),
  })),
  {
    name: 'look-accepted',
    scenario: 'active',
    act: add('https://sso.acme.example/asyncmq', press('look-accept')),
  },
  {
    name: 'method-chooser',
    scenario: 'active',
    async act(page) {
      await page.getByTestId('add-environment').click();
      await page.getByTestId('method-chooser').click();
      await page.getByTestId('method-none').waitFor();
    },
  },
  ...methods
    .filter((method) => method !== 'none')
    .map((method) => ({ name: `edit-${method}`, scenario: `edit-${method}`, act: settings(method) })),
  {
    name: 'edit-network',
    scenario: 'edit-everything',
    async act(page) {
      await menu('edit')(page);
      await page.getByTestId('network').click();
      await page.getByTestId('network').evaluate((element) => element.scrollIntoView());
    },
  },
  {
    name: 'edit-advanced',
    scenario: 'edit-everything',
    async act(page) {
      await menu('edit')(page);
      await page.getByTestId('advanced').click();
      await page.getByTestId('advanced').evaluate((element) => element.scrollIntoView());
    },
  },
  {
    name: 'edit-errors',
    scenario: 'edit-openid_connect',
    async act(page) {
      await settings('openid_connect')(page);
      await page.getByTestId('field-sign_in.issuer').fill('');
      await page.getByTestId('field-sign_in.redirect_ports').fill('8400 99999');
      await page.getByTestId('field-sign_in.client_id').fill('');
      await page.getByTestId('save-environment').click();
      await page.getByTestId('field-sign_in.redirect_ports').fill('8400');
      await page.getByTestId('save-environment').click();
      await page.getByTestId('error-sign_in.issuer').waitFor();
    },
  },
  {
    name: 'edit-network-errors',
    scenario: 'active',
    async act(page) {
      await menu('edit')(page);
      await page.getByTestId('network').click();
      await page.getByTestId('field-network.proxy').fill('proxy.acme.example');
      await page.getByTestId('field-network.tunnel.arguments').fill('port-forward');
      await page.getByTestId('save-environment').click();
      await page.getByTestId('error-network.tunnel').waitFor();
      await page.getByTestId('error-network.proxy').scrollIntoViewIfNeeded();
    },
  },
  ...['red', 'orange', 'amber', 'green', 'teal', 'blue', 'violet', 'pink', 'slate'].map((accent) =>
    plain(`accent-${accent}`),
  ),
];

export const schemes = ['light', 'dark'];

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { start } = await import('./browser.mjs');
  const folder = fileURLToPath(new URL('../shots/', import.meta.url));
  const only = process.argv.slice(2);
  await mkdir(folder, { recursive: true });
  const browser = await start();
  try {
    for (const screen of screens.filter(({ name }) => only.length === 0 || only.includes(name))) {
      for (const colorScheme of schemes) {
        for (const [width, height] of [
          [1280, 800],
          [1000, 700],
          [900, 600],
        ]) {
          const shown = await browser.open(screen, { colorScheme, width, height });
          await shown.page.screenshot({ path: `${folder}${screen.name}-${colorScheme}-${width}.png` });
          for (const complaint of shown.complaints) console.log(`${screen.name}: ${complaint}`);
          await shown.close();
        }
      }
    }
  } finally {
    await browser.close();
  }
}
