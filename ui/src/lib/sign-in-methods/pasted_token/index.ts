import type { Method } from '../method';

export const pastedToken: Method = {
  method: 'pasted_token',
  words: 'Paste a token',
  meaning: 'You have a token that the admin accepts, and paste it.',
  defaults: () => ({ method: 'pasted_token' }),
  form: null,
  primary: 'Sign in',
  asking: 'Paste a token that this admin accepts.',
  trying: ({ host }) => `Trying the token at ${host}`,
  goes: ({ host, kept }) => `It is sent to \`${host}\` only, and ${kept}.`,
  kept: 'the token',
  without: 'pasting it',
  token: true,
  ends: true,
  elsewhere: false,
  afterSignOut: '',
};
