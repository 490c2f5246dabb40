// States that the core can be in, by name, for development, tests and screenshots. None holds a secret.

import type {
  Accent,
  EnvironmentDraft,
  EnvironmentView,
  IdentityView,
  Problem,
  Prompt,
  SessionView,
  ShellState,
} from '../types';

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
    allow_plain_http: false,
    protection: 'locked',
    ...over,
  };
}

export function identity(over: Partial<IdentityView> = {}): IdentityView {
  return {
    display_name: 'Alice Moreau',
    subject: 'alice',
    issuer: 'https://id.acme.example',
    audience: ['asyncmq-admin'],
    roles: ['operator', 'queue-admin'],
    admin: true,
    issued_at: Date.now() - 18 * MINUTE,
    expires_at: Date.now() + 42 * MINUTE,
    opaque: false,
    ...over,
  };
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
  'signing-in': () => three({ ...closed, session: { status: 'signing_in' } }),
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
      { session: { status: 'signing_in' } },
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
