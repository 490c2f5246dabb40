import { screen, waitFor } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';

import { PROD, shows } from '../../test-shows';
import { identity } from '../ipc/fake/views';
import { missingOf, rowsOf } from '../sign-in/claims';

it('says who, by what, carried by, until when and where it is kept', async () => {
  const { user } = await shows('identity-renewed');
  await user.click(screen.getByTestId('bar-operator'));
  const says = (name: string) => screen.getByTestId(`credential-${name}`).textContent;
  await screen.findByTestId('credential');
  expect(says('method')).toBe('OpenID Connect');
  expect(says('carried_by')).toBe('Authorization: Bearer …');
  expect(says('until')).toContain('42 min left');
  expect(says('kept_in')).toBe('This computer’s keychain');
  expect(says('renewed_at')).toContain('by itself');
  const ends = screen.getByTestId('claim-exp');
  expect(ends.querySelector('time')).not.toBeNull();
  expect(ends.title).toMatch(/^\d{10} · /);
  await user.click(screen.getByTestId('token-header'));
  expect(screen.getByTestId('header-alg').textContent).toBe('RS256');
});

it('says nothing of a token where there is none', async () => {
  const { user } = await shows('identity-cookie');
  await user.click(screen.getByTestId('bar-operator'));
  const panel = await screen.findByTestId('panel-identity');
  expect(panel.textContent).not.toMatch(/token/i);
  expect(screen.queryByTestId('claims')).toBeNull();
  expect(screen.queryByTestId('copy-token')).toBeNull();
});

it('claims are read, and what is missing is said', () => {
  expect(rowsOf([{ name: 'aud', value: '["a","b"]' }])[0]).toMatchObject({ value: 'a, b', raw: '["a","b"]' });
  expect(rowsOf([{ name: 'exp', value: '1767225600' }])[0]).toMatchObject({
    at: 1_767_225_600_000,
    raw: '1767225600',
  });
  expect(rowsOf([{ name: 'exp', value: 'soon' }])[0]).toMatchObject({ at: null, value: 'soon' });
  expect(rowsOf([{ name: 'realm_access', value: '{"roles":[]}' }])[0]).toMatchObject({
    value: '{"roles":[]}',
  });
  expect(missingOf(identity({ admin: null, issuer: null })).map(({ claim }) => claim)).toEqual([
    'admin',
    'iss',
  ]);
});

describe('copying the token', () => {
  it('is asked about first, and the core does it', async () => {
    const { core, user } = await shows('active');
    await user.click(screen.getByTestId('bar-operator'));
    await user.click(await screen.findByTestId('copy-token'));
    expect(core.called('token_copy_open')).toEqual([{ id: PROD }]);
    const dialog = await screen.findByTestId('panel-copy-token');
    expect(dialog.textContent).toContain('Alice Moreau');
    expect(dialog.textContent).toContain('30 seconds');
    const cancel = screen.getByTestId('copy-token-cancel');
    await waitFor(() => expect(document.activeElement).toBe(cancel));
    expect(core.called('token_copy')).toEqual([]);
    await user.click(screen.getByTestId('copy-token-yes'));
    await waitFor(() => expect(core.called('token_copy')).toEqual([{ id: PROD, yes: true }]));
  });

  it('is not done by Escape or by Enter', async () => {
    const { core, user } = await shows('copy-token');
    const cancel = await screen.findByTestId('copy-token-cancel');
    await waitFor(() => expect(document.activeElement).toBe(cancel));
    await user.keyboard('{Enter}');
    await waitFor(() => expect(core.called('token_copy')).toEqual([{ id: PROD, yes: false }]));
  });
});

it('signing out of a session with a cookie says what stays valid', async () => {
  const { user } = await shows('identity-cookie');
  await user.click(screen.getByTestId('bar-menu'));
  await user.click(screen.getByTestId('menu-sign-out'));
  expect((await screen.findByTestId('after-sign-out')).textContent).toContain(
    'stays valid there until it ends',
  );
  expect(screen.getByTestId('panel-sign-out').textContent).not.toMatch(/token/i);
});
