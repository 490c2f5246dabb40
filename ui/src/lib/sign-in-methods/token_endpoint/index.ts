import { hostOf, type Method } from '../method';
import Form from './Form.svelte';

const endpoint = (draft: { sign_in: { method: string; url?: string } }) => hostOf(draft.sign_in.url ?? '');

export const tokenEndpoint: Method = {
  method: 'token_endpoint',
  words: 'User name and password for a token',
  meaning: 'An endpoint of yours exchanges a user name and password for a token.',
  defaults: () => ({
    method: 'token_endpoint',
    url: '',
    encoding: 'json',
    user_field: 'username',
    password_field: 'password',
    extra_fields: '',
    token_path: 'access_token',
    refresh_token_path: 'refresh_token',
    lifetime_path: 'expires_in',
    refresh_url: '',
    refresh_field: 'refresh_token',
  }),
  form: Form,
  primary: 'Sign in',
  asking: 'Your user name and password are exchanged for a token.',
  trying: ({ draft }) => `Asking ${endpoint(draft)} for a token`,
  goes: ({ draft, kept }) =>
    `They are sent to \`${endpoint(draft)}\` only. The token is ${kept}, the password only if you say so.`,
  kept: 'what is stored',
  without: 'typing the password',
  token: true,
  ends: true,
  elsewhere: false,
  afterSignOut: '',
};
