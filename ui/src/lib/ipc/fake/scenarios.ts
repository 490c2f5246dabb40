// States that the core can be in, by name, for development, tests and screenshots. None holds a secret.

import type {
  Accent,
  CredentialView,
  EnvironmentDraft,
  EnvironmentView,
  IdentityView,
  Problem,
  Prompt,
  SessionView,
  ShellState,
  SignInMethod,
  StepView,
} from '../types';
import { asksOf } from './asks';

const MINUTE = 60_000;

export function draft(over: Partial<EnvironmentDraft> = {}): EnvironmentDraft {
  return {
    name: 'Acme production',
    base_url: 'https://admin.acme.example/asyncmq',
    tag: 'PROD',
    accent: 'red',
    login_path: '/login',
    header_name: 'Authorization',
    scheme: 'Bearer',
    cookie_name: '',
    expected_issuer: '',
    expected_audience: '',
    sign_in: { method: 'pasted_token' },
    network: {
      ca_file: '',
      client_certificate_file: '',
      proxy: '',
      proxy_user: '',
      extra_headers: [],
      extra_cookies: [],
      tunnel: null,
    },
    allow_plain_http: false,
    allow_token_copy: false,
    protection: 'locked',
    ...over,
  };
}

/** The claims and the header of a token that says what `identity` says. */
function claimsOf(identity: IdentityView): Pick<IdentityView, 'claims' | 'header'> {
  if (identity.opaque) return { claims: [], header: [] };
  const seconds = (at: number) => String(Math.floor(at / 1000));
  const claims: [string, string | null][] = [
    ['iss', identity.issuer],
    ['sub', identity.subject],
    ['name', identity.display_name],
    ['aud', identity.audience.length > 0 ? JSON.stringify(identity.audience) : null],
    ['roles', identity.roles.length > 0 ? JSON.stringify(identity.roles) : null],
    ['is_admin', identity.admin === null ? null : String(identity.admin)],
    ['iat', identity.issued_at === null ? null : seconds(identity.issued_at)],
    ['exp', identity.expires_at === null ? null : seconds(identity.expires_at)],
    ['jti', 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6'],
  ];
  return {
    claims: claims.flatMap(([name, value]) => (value === null ? [] : [{ name, value }])),
    header: [
      { name: 'alg', value: 'RS256' },
      { name: 'kid', value: '2025-11-a' },
      { name: 'typ', value: 'JWT' },
    ],
  };
}

export function credential(over: Partial<CredentialView> = {}): CredentialView {
  return {
    carried_by: 'Authorization: Bearer …',
    kept_in: 'keychain',
    obtained_at: Date.now() - 18 * MINUTE,
    renewed_at: null,
    renews: false,
    copyable: true,
    ...over,
  };
}

export function browserStep(): StepView & { kind: 'browser' } {
  return {
    kind: 'browser',
    url:
      'https://id.acme.example/realms/operations/protocol/openid-connect/auth?response_type=code' +
      '&client_id=asyncmq-console&redirect_uri=http%3A%2F%2F127.0.0.1%3A49213%2Fcallback' +
      '&scope=openid+profile+offline_access&code_challenge_method=S256',
    until: Date.now() + 4 * MINUTE + 32_500,
  };
}

export function deviceStep(): StepView & { kind: 'device_code' } {
  return {
    kind: 'device_code',
    user_code: 'WDJB-MJHT',
    verification_uri: 'https://id.acme.example/device',
    verification_uri_complete: 'https://id.acme.example/device?user_code=WDJB-MJHT',
    until: Date.now() + 14 * MINUTE + 30_000,
  };
}

export function identity(over: Partial<IdentityView> = {}): IdentityView {
  const said = {
    display_name: 'Alice Moreau',
    subject: 'alice',
    issuer: 'https://id.acme.example',
    audience: ['asyncmq-admin'],
    roles: ['operator', 'queue-admin'],
    admin: true,
    issued_at: Date.now() - 18 * MINUTE,
    expires_at: Date.now() + 42 * MINUTE,
    opaque: false,
    claims: [],
    header: [],
    ...over,
  };
  return { ...said, ...claimsOf(said), ...over };
}

export function problem(code: string, title: string, detail = '', advice = ''): Problem {
  return { code, title, detail, advice };
}

export function active(left: number | null = 42 * MINUTE + 20_000): SessionView {
  const expires_at = left === null ? null : Date.now() + left;
  return { status: 'active', identity: identity({ expires_at }), expires_at };
}

export function environment(id: string, over: Partial<EnvironmentView> = {}): EnvironmentView {
  const described = over.draft ?? draft();
  return {
    id,
    draft: described,
    session: active(),
    connection: { status: 'fine' },
    stored_credential: { status: 'ready' },
    page: { url: `${described.base_url}/queues/emails/jobs?state=failed&page=2`, loading: false },
    asks: asksOf(described),
    approvals: [],
    credential: (over.session?.status ?? 'active') === 'active' ? credential() : null,
    ...over,
  };
}

export function shellState(over: Partial<ShellState> = {}): ShellState {
  return {
    environments: [],
    selected: over.environments?.[0]?.id ?? null,
    keychain: { status: 'available' },
    settings_problem: null,
    prompts: [],
    notices: [],
    folders: {
      settings: '/home/alice/.config/asyncmq-console',
      logs: '/home/alice/.local/state/asyncmq-console/logs',
      downloads: '/home/alice/Downloads',
    },
    profile: null,
    ...over,
  };
}

const PROD = 'a1b2c3d4e5f60718';
const STAGE = '0f1e2d3c4b5a6978';
const DEV = '1122334455667788';

const stage = () =>
  environment(STAGE, {
    draft: draft({
      name: 'Acme staging',
      tag: 'STAGE',
      accent: 'amber',
      base_url: 'https://staging.acme.example/ops/asyncmq',
      protection: 'open',
    }),
  });

const dev = () =>
  environment(DEV, {
    draft: draft({
      name: 'Local',
      tag: 'DEV',
      accent: 'green',
      base_url: 'http://127.0.0.1:8000/asyncmq',
      protection: 'open',
    }),
    session: { status: 'signed_out', problem: null },
    stored_credential: { status: 'none' },
    page: null,
  });

/** Three environments with production on stage, changed by `over`. */
function three(over: Partial<EnvironmentView> = {}, state: Partial<ShellState> = {}): ShellState {
  return shellState({ environments: [environment(PROD, over), stage(), dev()], ...state });
}

const closed = { page: null, stored_credential: { status: 'none' } } satisfies Partial<EnvironmentView>;

const noKeychain = problem(
  'no_keychain',
  'No keychain on this computer',
  'No Secret Service answers on the session bus (org.freedesktop.secrets).',
  'Install and unlock gnome-keyring or KWallet, then try again.',
);

const prompt = (over: Prompt): Partial<ShellState> => ({ prompts: [over] });

const external = (host: string, url: string) =>
  prompt({ kind: 'open_external', id: 'link-1', environment: PROD, host, url });

export const scenarios: Record<string, () => ShellState> = {
  'first-run': () => shellState(),
  active: () => three(),
  open: () => three({ draft: draft({ protection: 'open' }) }),
  demo: () => three({}, { profile: 'demo' }),
  opaque: () => three({ session: { ...(active(null) as SessionView & { status: 'active' }) } }),
  expiring: () => three({ session: active(4 * MINUTE + 32_000) }),
  opening: () => three({ page: null }),
  'signed-out': () => three({ ...closed, session: { status: 'signed_out', problem: null } }),
  stored: () => three({ page: null, session: { status: 'signed_out', problem: null } }),
  moved: () =>
    three({
      page: null,
      session: { status: 'signed_out', problem: null },
      stored_credential: {
        status: 'moved',
        from: 'https://admin.acme.example/asyncmq',
        to: 'https://console.acme.example/asyncmq',
      },
    }),
  'signing-in': () => three({ ...closed, session: { status: 'signing_in', step: null } }),
  expired: () =>
    three({
      ...closed,
      session: {
        status: 'expired',
        at: Date.now() - 3 * MINUTE,
        identity: identity({ expires_at: Date.now() - 3 * MINUTE }),
      },
    }),
  refused: () =>
    three({
      ...closed,
      session: {
        status: 'refused',
        problem: problem(
          'refused',
          'PROD did not accept your token',
          'Your token is for audience `asyncmq-staging`; this environment expects `asyncmq-admin`.',
          'Use a token that was issued for this admin.',
        ),
        identity: identity({ audience: ['asyncmq-staging'] }),
      },
    }),
  'not-admin': () =>
    three({
      ...closed,
      session: {
        status: 'refused',
        problem: problem(
          'not_admin',
          'Signed in, but not allowed',
          '`alice` has no admin claim here, or lacks a role that this admin requires.',
          'Show the claims to its administrator.',
        ),
        identity: identity({ admin: null, roles: ['viewer'] }),
      },
    }),
  'switch-account': () => three({}, prompt({ kind: 'sign_in', environment: PROD })),
  unreachable: () =>
    three({
      connection: {
        status: 'unreachable',
        since: Date.now() - 7 * MINUTE,
        problem: problem(
          'dns',
          'Can’t reach PROD',
          '`admin.acme.example` does not resolve.',
          'Trying again every 30 s.',
        ),
      },
    }),
  'unreachable-at-first': () =>
    three({
      page: null,
      connection: {
        status: 'unreachable',
        since: Date.now() - 7 * MINUTE,
        problem: problem(
          'dns',
          'Can’t reach PROD since 14:02',
          '`admin.acme.example` does not resolve.',
          'Trying again every 30 s. Check the address, the network, and whether a VPN is needed.',
        ),
      },
    }),
  impaired: () =>
    three({
      connection: {
        status: 'impaired',
        problem: problem(
          'cross_origin',
          'PROD rejects actions, not pages.',
          'The admin does not trust the proxy in front of it (`trusted_proxies`).',
          'Reading works.',
        ),
      },
    }),
  notices: () =>
    three(
      {},
      {
        notices: [
          {
            id: 'n1',
            kind: 'download',
            text: 'jobs-2025-11-24.csv was saved to Downloads.',
            environment: PROD,
          },
          {
            id: 'n2',
            kind: 'refused_write',
            text: 'Nothing was done: PROD is locked, and pausing a queue changes production.',
            environment: PROD,
          },
          { id: 'n3', kind: 'info', text: 'A new version of the admin answers: 0.10.1.', environment: STAGE },
        ],
      },
    ),
  'sign-out': () => three({}, prompt({ kind: 'sign_out', environment: PROD })),
  external: () =>
    three(
      {},
      external('docs.partner.example', 'https://docs.partner.example/runbooks/emails?from=asyncmq#retry'),
    ),
  'external-odd': () =>
    three({}, external('', 'mailto:oncall@acme.example?subject=Queue%20emails\u202egpj.exe')),
  keychain: () =>
    three(
      { ...closed, session: { status: 'signed_out', problem: null } },
      { keychain: { status: 'unavailable', problem: noKeychain, memory_allowed: false } },
    ),
  'keychain-live': () =>
    three({}, { keychain: { status: 'unavailable', problem: noKeychain, memory_allowed: false } }),
  memory: () =>
    three(
      { ...closed, session: { status: 'signed_out', problem: null } },
      { keychain: { status: 'unavailable', problem: noKeychain, memory_allowed: true } },
    ),
  'settings-problem': () =>
    shellState({
      settings_problem: problem(
        'newer_version',
        'The settings are from a newer version',
        '/home/alice/.config/asyncmq-console/environments.toml has version 4; this console reads up to version 1.',
        'Start the newer console, or move the file away to begin with no environments.',
      ),
    }),
  'nothing-chosen': () => ({ ...three(), selected: null }),
  many: () => {
    const accents: Accent[] = ['red', 'orange', 'amber', 'green', 'teal', 'blue', 'violet', 'pink', 'slate'];
    const states: Partial<EnvironmentView>[] = [
      {},
      { session: { status: 'signing_in', step: null } },
      { session: { status: 'signed_out', problem: null } },
      {
        connection: {
          status: 'unreachable',
          since: Date.now(),
          problem: problem('dns', 'Can’t reach it', 'No answer.', 'Trying again.'),
        },
      },
      { session: { status: 'expired', at: Date.now(), identity: identity() } },
    ];
    const environments = Array.from({ length: 18 }, (_, index) =>
      environment(`c0ffee${String(index).padStart(10, '0')}`, {
        ...states[index % states.length],
        draft: draft({
          name:
            index === 0
              ? 'A customer with a name that is much longer than anyone would like'
              : `Customer ${index}`,
          tag: index === 0 ? 'CUSTOMER' : `C${index}`,
          accent: accents[index % accents.length] ?? 'blue',
        }),
      }),
    );
    return shellState({ environments, profile: 'development' });
  },
};

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
for (const [method, settings] of Object.entries(methodSamples)) {
  scenarios[`ask-${method}`] = () => byMethod(settings);
}

const everything: Partial<EnvironmentDraft> = {
  network: {
    ca_file: '/etc/ssl/acme/operations-root-2024.pem',
    client_certificate_file: '/home/alice/.config/acme/alice.p12',
    proxy: 'socks5h://proxy.acme.example:1080',
    proxy_user: 'alice',
    extra_headers: ['CF-Access-Client-Id', 'CF-Access-Client-Secret'],
    extra_cookies: ['gate'],
    tunnel: {
      program: 'kubectl',
      arguments: ['port-forward', '--namespace', 'operations', 'svc/asyncmq admin', '8000:8000'],
    },
  },
};

Object.assign(scenarios, {
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
  'copy-token': () => three({}, prompt({ kind: 'copy_token', environment: PROD })),
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
  scenarios[`edit-${method}`] = () => three({ draft: draft({ sign_in: settings }) });
}
for (const accent of [
  'red',
  'orange',
  'amber',
  'green',
  'teal',
  'blue',
  'violet',
  'pink',
  'slate',
] as const) {
  scenarios[`accent-${accent}`] = () => three({ draft: draft({ accent, tag: accent.toUpperCase() }) });
}
