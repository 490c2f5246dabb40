import type { Method } from '../method';
import Form from './Form.svelte';

export const loginForm: Method = {
  method: 'login_form',
  words: 'The admin’s login form',
  meaning: 'The admin asks for a user name and password itself.',
  defaults: () => ({ method: 'login_form', user_field: 'username', password_field: 'password' }),
  form: Form,
  primary: 'Sign in',
  asking: 'Sign in with the user name and password of this admin.',
  trying: ({ host }) => `Signing in at ${host}`,
  goes: ({ host }) => `They are sent to \`${host}\` only. The password is kept only if you say so.`,
  kept: 'what is stored',
  without: 'typing it',
  token: false,
  ends: true,
  elsewhere: false,
  afterSignOut:
    'The admin keeps no list of sessions: the cookie is forgotten here, and stays valid there until it ends.',
};
