import type { Method } from '../method';
import Form from './Form.svelte';

export const fixedHeaders: Method = {
  method: 'fixed_headers',
  words: 'Fixed headers',
  meaning: 'Headers with secret values, as an access proxy or a trusting admin wants them.',
  defaults: () => ({ method: 'fixed_headers', names: [] }),
  form: Form,
  primary: 'Sign in',
  asking: 'Give the values of the headers that this admin wants.',
  trying: ({ host }) => `Trying them at ${host}`,
  goes: ({ host, kept }) => `They are sent to \`${host}\` only, with every request, and ${kept}.`,
  kept: 'the values',
  without: 'typing them',
  token: false,
  ends: false,
  elsewhere: false,
  afterSignOut: '',
};
