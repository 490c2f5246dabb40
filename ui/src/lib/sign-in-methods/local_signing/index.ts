import type { Method } from '../method';
import Form from './Form.svelte';

export const localSigning: Method = {
  method: 'local_signing',
  words: 'Sign tokens here',
  meaning: 'The console holds the admin’s secret or a private key and signs short-lived tokens.',
  defaults: () => ({
    method: 'local_signing',
    algorithm: 'HS256',
    key_id: '',
    lifetime: 300,
    subject: '',
    name: '',
    audience: '',
    issuer: '',
    roles: [],
    is_admin: true,
    extra_claims: '',
  }),
  form: Form,
  primary: 'Sign in',
  asking: 'The console signs a token with this key, and a fresh one before it ends.',
  trying: ({ host }) => `Trying a fresh token at ${host}`,
  goes: ({ host, kept }) => `It stays here, ${kept}: only tokens are sent, to \`${host}\`.`,
  kept: 'the key',
  without: 'pasting it',
  token: true,
  ends: true,
  elsewhere: false,
  afterSignOut: '',
};
