// Signed out of production, or signed in to it, by each way there is.

import type { EnvironmentDraft, EnvironmentView, ShellState, SignInMethod } from '../../types';
import { asksOf } from '../asks';
import { browserStep, credential, deviceStep, draft, identity, MINUTE } from '../views';
import { closed, three } from '../world';

/** Signed out of production, which is signed in to in this way. */
const byMethod = (
  sign_in: SignInMethod,
  over: Partial<EnvironmentView> = {},
  settings: Partial<EnvironmentDraft> = {},
) => {
  const described = draft({ sign_in, ...settings });
  return three({
    ...closed,
    session: { status: 'signed_out', problem: null },
    draft: described,
    asks: asksOf(described),
    ...over,
  });
};

const openid: SignInMethod = {
  method: 'openid_connect',
  issuer: 'https://id.acme.example/realms/operations',
  client_id: 'asyncmq-console',
  client_authentication: 'none',
  scopes: ['openid', 'profile', 'offline_access'],
  sends: 'access_token',
  audience: '',
  resource: '',
  extra_parameters: [],
  prompt: '',
  login_hint: '',
  redirect_ports: [],
};

export const methodSamples: Record<string, SignInMethod> = {
  local_signing: {
    method: 'local_signing',
    algorithm: 'ES256',
    key_id: '2025-11-a',
    lifetime: 300,
    subject: 'console',
    name: 'Console',
    audience: 'asyncmq-admin',
    issuer: 'https://id.acme.example',
    roles: ['operator', 'queue-admin'],
    is_admin: true,
    extra_claims: '',
  },
  token_endpoint: {
    method: 'token_endpoint',
    url: 'https://id.acme.example/api/token',
    encoding: 'json',
    user_field: 'username',
    password_field: 'password',
    extra_fields: '',
    token_path: 'access_token',
    refresh_token_path: 'refresh_token',
    lifetime_path: 'expires_in',
    refresh_url: '',
    refresh_field: 'refresh_token',
  },
  openid_connect: openid,
  device_code: {
    method: 'device_code',
    issuer: 'https://id.acme.example/realms/operations',
    client_id: 'asyncmq-console',
    client_authentication: 'none',
    scopes: ['openid', 'profile', 'offline_access'],
    sends: 'access_token',
    audience: '',
    resource: '',
  },
  client_credentials: {
    method: 'client_credentials',
    issuer: 'https://id.acme.example/realms/operations',
    token_url: '',
    client_id: 'asyncmq-console',
    client_authentication: 'private_key_jwt',
    scopes: ['jobs:read'],
    audience: '',
    resource: '',
    algorithm: 'ES256',
    key_id: '',
  },
  login_form: { method: 'login_form', user_field: 'username', password_field: 'password' },
  fixed_headers: {
    method: 'fixed_headers',
    names: ['CF-Access-Client-Id', 'CF-Access-Client-Secret'],
  },
  external_command: {
    method: 'external_command',
    command: {
      program: '/usr/local/bin/acme-token',
      arguments: ['--audience', 'asyncmq-admin', '--format=json'],
    },
    timeout: 30,
  },
  none: { method: 'none' },
};
export const methodScenarios: Record<string, () => ShellState> = {};
for (const [method, settings] of Object.entries(methodSamples)) {
  methodScenarios[`ask-${method}`] = () => byMethod(settings);
}

const everything: Partial<EnvironmentDraft> = {
  network: {
    ca_file: '/etc/ssl/acme/operations-root-2024.pem',
    client_certificate_file: '/home/alice/.config/acme/alice.p12',
    proxy: 'socks5h://proxy.acme.example:1080',
    proxy_user: 'alice',
    extra_headers: ['CF-Access-Client-Id', 'CF-Access-Client-Secret'],
    extra_cookies: ['gate'],
    first_byte_seconds: 90,
    tunnel: {
      program: 'kubectl',
      arguments: ['port-forward', '--namespace', 'operations', 'svc/asyncmq admin', '8000:8000'],
    },
  },
};

Object.assign(methodScenarios, {
  'login-form-stored': () => {
    const described = draft({ sign_in: methodSamples.login_form as SignInMethod });
    return byMethod(methodSamples.login_form as SignInMethod, {
      asks: asksOf(described, ['user', 'password', 'remember']),
      stored_credential: { status: 'ready' },
    });
  },
  'openid-stored': () => byMethod(openid, { stored_credential: { status: 'ready' } }),
  'login-form-expired': () =>
    byMethod(methodSamples.login_form as SignInMethod, {
      session: {
        status: 'expired',
        at: Date.now() - 3 * MINUTE,
        identity: identity({ display_name: 'alice', opaque: true, claims: [], header: [] }),
        problem: null,
      },
    }),
  'ask-everything': () => byMethod(methodSamples.login_form as SignInMethod, {}, everything),
  'step-browser': () => byMethod(openid, { session: { status: 'signing_in', step: browserStep() } }),
  'step-device-code': () =>
    byMethod(methodSamples.device_code as SignInMethod, {
      session: { status: 'signing_in', step: deviceStep() },
    }),
  'step-device-code-long': () =>
    byMethod(methodSamples.device_code as SignInMethod, {
      session: {
        status: 'signing_in',
        step: {
          ...deviceStep(),
          user_code: 'BCDFGHJK-LMNPQRST',
          verification_uri:
            'https://login.operations.acme-industries.example/realms/operations/protocol/openid-connect/device',
          verification_uri_complete: null,
          until: Date.now() + 65_000,
        },
      },
    }),
  'identity-long': () => {
    const said = identity({ admin: null });
    return three({
      session: {
        status: 'active',
        expires_at: said.expires_at,
        identity: {
          ...said,
          display_name: 'Alexandrina-Wilhelmina van der Meer-Papadopoulos-Featherstonehaugh',
          claims: [
            ...said.claims,
            {
              name: 'https://acme.example/claims/organisational-unit',
              value: 'operations/platform/queues/on-call/europe-west',
            },
            {
              name: 'resource_access',
              value: '{"asyncmq":{"roles":["operator","viewer"]},"account":{"roles":["manage-account"]}}',
            },
          ],
        },
      },
    });
  },
  approvals: () =>
    byMethod(
      methodSamples.external_command as SignInMethod,
      {
        approvals: [
          {
            kind: 'command',
            shown: '"/usr/local/bin/acme-token" "--audience" "asyncmq-admin" "--format=json"',
          },
          {
            kind: 'tunnel',
            shown: '"kubectl" "port-forward" "--namespace" "operations" "svc/asyncmq admin" "" "8000:8000"',
          },
          { kind: 'proxy', shown: 'socks5h://proxy.acme.example:1080' },
          {
            kind: 'ca',
            shown:
              '/etc/ssl/acme/operations-root-2024.pem\nSHA-256 5E:FF:56:A2:AF:15:88:25:AE:1E:2C:0B:7D:39:02:E4:11:93:4C:6B:0F:52:DA:8B:4B:46:CC:1D:9A:7F:00:21',
          },
        ],
      },
      everything,
    ),
  'edit-everything': () => three({ draft: draft({ ...everything, sign_in: openid }) }),
  'identity-renewed': () =>
    three({
      draft: draft({ sign_in: openid }),
      credential: credential({ renews: true, renewed_at: Date.now() - 6 * MINUTE }),
    }),
  'identity-cookie': () =>
    three({
      draft: draft({ sign_in: methodSamples.login_form as SignInMethod }),
      session: {
        status: 'active',
        identity: identity({
          display_name: 'alice',
          subject: null,
          issuer: null,
          audience: [],
          roles: [],
          admin: null,
          issued_at: null,
          expires_at: null,
          opaque: true,
        }),
        expires_at: null,
      },
      credential: credential({ carried_by: 'Cookie: session', kept_in: 'memory', copyable: false }),
    }),
});
for (const [method, settings] of Object.entries(methodSamples)) {
  methodScenarios[`edit-${method}`] = () => three({ draft: draft({ sign_in: settings }) });
}
