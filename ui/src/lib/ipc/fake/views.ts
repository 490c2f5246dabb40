// What the core's views are made of, for scenarios and tests. None holds a secret.

import type {
  CredentialView,
  EnvironmentDraft,
  EnvironmentView,
  IdentityView,
  Problem,
  SessionView,
  ShellState,
  StepView,
} from '../types';
import { goesOn } from '../../shell/session';
import { asksOf } from './asks';

export const MINUTE = 60_000;

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
      first_byte_seconds: 0,
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
    credential: goesOn(over.session ?? active()) ? credential() : null,
    history: [],
    held: [],
    on_their_way: 0,
    third_parties: [],
    doctor: null,
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
