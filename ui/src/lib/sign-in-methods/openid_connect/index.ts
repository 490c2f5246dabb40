import { hostOf, type Method } from '../method';
import Form from './Form.svelte';

const provider = (draft: { sign_in: { method: string; issuer?: string } }) =>
  hostOf(draft.sign_in.issuer ?? '') || 'the identity provider';

export const openIdConnect: Method = {
  method: 'openid_connect',
  words: 'OpenID Connect',
  meaning: 'You sign in at an identity provider, in the system’s browser.',
  defaults: () => ({
    method: 'openid_connect',
    issuer: '',
    client_id: '',
    client_authentication: 'none',
    scopes: ['openid', 'profile', 'offline_access'],
    sends: 'access_token',
    audience: '',
    resource: '',
    extra_parameters: [],
    prompt: '',
    login_hint: '',
    redirect_ports: [],
  }),
  form: Form,
  primary: 'Sign in in the browser',
  asking: 'You sign in at the identity provider, in your browser.',
  trying: ({ draft }) => `Asking ${provider(draft)}`,
  goes: ({ draft, kept }) => `It is sent to \`${provider(draft)}\` only, and ${kept}.`,
  kept: 'what is stored',
  without: 'the browser',
  token: true,
  ends: true,
  elsewhere: true,
  afterSignOut: 'Your session in the browser may go on: the provider decides that.',
};
