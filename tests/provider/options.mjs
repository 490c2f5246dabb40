// What does oidc-provider offer here? Its configuration, from ours.
import { randomBytes } from 'node:crypto';

import Provider, { errors, interactionPolicy } from 'oidc-provider';

import { claims } from './accounts.mjs';
import * as pages from './pages.mjs';

const CODE_GRANTS = ['authorization_code', 'refresh_token'];
const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
// A native client may come back to any port of a loopback address (RFC 8252 §7.3).
const LOOPBACK = 'http://127.0.0.1/callback';
export const RESOURCE_SCOPE = 'admin';

/** oidc-provider with what these tests use of it, and nothing else. */
export function provider(issuer, configuration, key, accounts) {
  const { algorithm, lifetimes, resource } = configuration;
  const made = new Provider(issuer, {
    jwks: { keys: [key.private_jwk] },
    clients: clients(configuration),
    clientDefaults: { id_token_signed_response_alg: algorithm },
    cookies: { keys: [randomBytes(32).toString('base64url')] },
    findAccount: async (_ctx, sub) => {
      const account = accounts.withSubject(sub);
      return account && { accountId: sub, claims: async () => ({ sub, ...claims(account) }) };
    },
    claims: { openid: ['sub', 'name', 'roles', 'is_admin'], email: ['email', 'email_verified'] },
    // ID tokens hold the claims of the scopes although an access token is issued too.
    conformIdTokenClaims: false,
    scopes: ['openid', 'offline_access', 'email'],
    extraTokenClaims: async (_ctx, token) => {
      if (!token.accountId) return configuration.machine_claims;
      const { name, roles, is_admin } = accounts.withSubject(token.accountId) ?? {};
      return { name, roles, is_admin };
    },
    pkce: { required: () => true },
    rotateRefreshToken: configuration.rotate,
    ...(configuration.refresh_tokens === 'always' && {
      issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    }),
    interactions: {
      url: (_ctx, interaction) => `/interaction/${interaction.uid}`,
      policy: policy(),
    },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: false },
      revocation: { enabled: true },
      deviceFlow: {
        enabled: true,
        userCodeInputSource: async (ctx, form, _out, error) => {
          ctx.body = pages.deviceCode(form, Boolean(error));
        },
        userCodeConfirmSource: async (ctx, form, client, _device, code) => {
          ctx.body = pages.deviceConfirm(form, client.clientName ?? client.clientId, code);
        },
        successSource: async (ctx) => {
          ctx.body = pages.page('device-done', 'Your device is connected', '');
        },
      },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: async (ctx, form) => {
          ctx.body = pages.signOut(form);
        },
        postLogoutSuccessSource: async (ctx) => {
          ctx.body = pages.page('signed-out', 'You are signed out', '');
        },
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: async (_ctx, _client, oneOf) =>
          oneOf?.[0] ?? (configuration.default_resource ? resource : undefined),
        // A client need not repeat the resource at the token endpoint.
        useGrantedResource: async () => true,
        getResourceServerInfo: async (_ctx, asked) => {
          if (asked !== resource) throw new errors.InvalidTarget();
          return {
            scope: RESOURCE_SCOPE,
            audience: resource,
            accessTokenFormat: 'jwt',
            accessTokenTTL: lifetimes.access_token,
            jwt: { sign: { alg: algorithm } },
          };
        },
      },
    },
    renderError: async (ctx, out) => {
      ctx.type = 'html';
      ctx.body = pages.failure(out);
    },
    ttl: {
      AccessToken: lifetimes.access_token,
      AuthorizationCode: lifetimes.authorization_code,
      ClientCredentials: lifetimes.access_token,
      DeviceCode: lifetimes.device_code,
      Grant: Math.max(lifetimes.refresh_token, lifetimes.session),
      IdToken: lifetimes.id_token,
      Interaction: 600,
      RefreshToken: lifetimes.refresh_token,
      Session: lifetimes.session,
    },
  });
  return made;
}

/** The base policy, and `prompt=select_account` for who has several accounts here. */
function policy() {
  const prompts = interactionPolicy.base();
  prompts.add(new interactionPolicy.Prompt({ name: 'select_account', requestable: true }), 0);
  return prompts;
}

/** Every client by its id; see README.md for what each is for. */
function clients(configuration) {
  const native = {
    application_type: 'native',
    client_name: 'AsyncMQ Console',
    redirect_uris: [LOOPBACK],
    post_logout_redirect_uris: [LOOPBACK],
    response_types: ['code'],
  };
  const open = { ...native, token_endpoint_auth_method: 'none' };
  const confidential = { ...native, grant_types: [...CODE_GRANTS, 'client_credentials'] };
  const client_secret = configuration.client_secret;
  const made = [
    { ...open, client_id: 'console', grant_types: [...CODE_GRANTS, DEVICE_GRANT] },
    {
      ...confidential,
      client_id: 'console-basic',
      client_secret,
      token_endpoint_auth_method: 'client_secret_basic',
    },
    {
      ...confidential,
      client_id: 'console-post',
      client_secret,
      token_endpoint_auth_method: 'client_secret_post',
    },
  ];
  if (configuration.client_jwks) {
    made.push({
      ...confidential,
      client_id: 'console-key',
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: configuration.client_jwks,
    });
  }
  if (configuration.fixed_redirect_uris.length > 0) {
    made.push({
      ...open,
      client_id: 'console-fixed',
      application_type: 'web',
      redirect_uris: configuration.fixed_redirect_uris,
      post_logout_redirect_uris: configuration.fixed_redirect_uris,
      grant_types: CODE_GRANTS,
    });
  }
  return [...made, ...configuration.clients];
}
