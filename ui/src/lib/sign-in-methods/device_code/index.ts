import { hostOf, type Method } from '../method';
import Form from './Form.svelte';

const provider = (draft: { sign_in: { method: string; issuer?: string } }) =>
  hostOf(draft.sign_in.issuer ?? '') || 'the identity provider';

export const deviceCode: Method = {
  method: 'device_code',
  words: 'Device code',
  meaning: 'You type a short code at an identity provider, on any device.',
  defaults: () => ({
    method: 'device_code',
    issuer: '',
    client_id: '',
    client_authentication: 'none',
    scopes: ['openid', 'profile', 'offline_access'],
    sends: 'access_token',
    audience: '',
    resource: '',
  }),
  form: Form,
  primary: 'Get a code',
  asking: 'The identity provider gives a code, which you type there on any device.',
  trying: ({ draft }) => `Asking ${provider(draft)} for a code`,
  goes: ({ draft, kept }) => `It is sent to \`${provider(draft)}\` only, and ${kept}.`,
  kept: 'what is stored',
  without: 'another code',
  token: true,
  ends: true,
  elsewhere: true,
  afterSignOut: 'Your session at the provider may go on: the provider decides that.',
};
