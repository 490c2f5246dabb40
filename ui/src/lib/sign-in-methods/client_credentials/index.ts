import { hostOf, type Method } from '../method';
import Form from './Form.svelte';

const provider = (draft: { sign_in: { method: string; issuer?: string; token_url?: string } }) =>
  hostOf(draft.sign_in.issuer ?? '') || hostOf(draft.sign_in.token_url ?? '') || 'the identity provider';

export const clientCredentials: Method = {
  method: 'client_credentials',
  words: 'Client credentials',
  meaning: 'The console signs in as a client of its own, without a person.',
  defaults: () => ({
    method: 'client_credentials',
    issuer: '',
    token_url: '',
    client_id: '',
    client_authentication: 'basic',
    scopes: [],
    audience: '',
    resource: '',
    algorithm: 'ES256',
    key_id: '',
  }),
  form: Form,
  primary: 'Sign in',
  asking: 'The console signs in as a client of its own.',
  trying: ({ draft }) => `Asking ${provider(draft)} for a token`,
  goes: ({ draft, kept }) =>
    draft.sign_in.method === 'client_credentials' && draft.sign_in.client_authentication === 'private_key_jwt'
      ? `It stays here, ${kept}: only what it signs is sent, to \`${provider(draft)}\`.`
      : `It is sent to \`${provider(draft)}\` only, and ${kept}.`,
  kept: 'the secret',
  without: 'giving it',
  token: true,
  ends: true,
  elsewhere: false,
  afterSignOut: '',
};
