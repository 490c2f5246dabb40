import type { Method } from '../method';

export const none: Method = {
  method: 'none',
  words: 'None',
  meaning: 'The admin is open to whoever reaches it.',
  defaults: () => ({ method: 'none' }),
  form: null,
  primary: 'Open the dashboard',
  asking: 'This admin is open to whoever reaches it.',
  trying: ({ host }) => `Asking ${host}`,
  goes: () => '',
  kept: null,
  without: '',
  token: false,
  ends: false,
  elsewhere: false,
  afterSignOut: '',
};
