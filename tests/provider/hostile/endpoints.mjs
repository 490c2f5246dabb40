// What does each endpoint of the scripted provider answer? Right by default; a fault by its name.
import { createHash, randomBytes } from 'node:crypto';

import { signingKey } from '../keys.mjs';
import { ID_TOKENS } from './tokens.mjs';
import { TRANSPORT } from './transport.mjs';

const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const MARKUP = '"><script>document.title="owned"</script>';

/** Names of the faults by endpoint, besides those of every endpoint (transport.mjs). */
export const FAULTS = {
  discovery: ['wrong_issuer', 'http_endpoints', 'odd_scheme', 'no_s256', 'no_iss_parameter'],
  jwks: ['no_keys', 'other_key'],
  authorization: [
    'wrong_iss',
    'no_iss',
    'wrong_state',
    'no_state',
    'no_code',
    'code_injection',
    'code_injection_checked',
    'denied',
    'denied_with_markup',
    'twice',
  ],
  token: [
    'invalid_grant',
    'invalid_client',
    'no_id_token',
    'no_access_token',
    'wrong_token_type',
    'no_lifetime',
  ],
  refresh: ['invalid_grant', 'other_sub', 'same_refresh_token', 'no_refresh_token'],
  client_credentials: ['invalid_client'],
  device_authorization: ['odd_scheme', 'http_uri', 'unauthorized_client', 'short_lived'],
  device: ['pending', 'slow_down', 'denied', 'expired'],
  id_token: Object.keys(ID_TOKENS).filter((name) => name !== 'well'),
  revocation: ['unsupported_token_type'],
  sign_out: [],
};

export const PATHS = {
  '/.well-known/openid-configuration': 'discovery',
  '/jwks': 'jwks',
  '/authorize': 'authorization',
  '/token': 'token',
  '/device': 'device_authorization',
  '/revoke': 'revocation',
  '/end': 'sign_out',
};

const random = () => randomBytes(24).toString('base64url');

/**
 * One provider. `fault(name)` answers the fault of an endpoint now; `configuration` is that of hostile.mjs.
 */
export function endpoints(issuer, configuration, key, fault) {
  const { algorithm, client_id, resource, sub } = configuration;
  const codes = new Map();
  const devices = new Map();
  const refresh_tokens = new Map();
  // Seconds since the epoch, as this provider's clock has it.
  const now = () => Math.floor(Date.now() / 1000) + configuration.clock;

  const document = () => {
    const endpoint = (path) => `${issuer}${path}`;
    return {
      issuer,
      authorization_endpoint: endpoint('/authorize'),
      token_endpoint: endpoint('/token'),
      jwks_uri: endpoint('/jwks'),
      device_authorization_endpoint: endpoint('/device'),
      revocation_endpoint: endpoint('/revoke'),
      end_session_endpoint: endpoint('/end'),
      response_types_supported: ['code'],
      response_modes_supported: ['query'],
      subject_types_supported: ['public'],
      grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials', DEVICE_GRANT],
      scopes_supported: ['openid', 'offline_access'],
      id_token_signing_alg_values_supported: [algorithm],
      token_endpoint_auth_methods_supported: [
        'none',
        'client_secret_basic',
        'client_secret_post',
        'private_key_jwt',
      ],
      token_endpoint_auth_signing_alg_values_supported: ['RS256', 'ES256'],
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
    };
  };

  function discovery() {
    const right = document();
    switch (fault('discovery')) {
      case 'wrong_issuer':
        return ok({ ...right, issuer: 'https://honest.example' });
      case 'http_endpoints':
        return ok({ ...right, token_endpoint: right.token_endpoint.replace('https:', 'http:') });
      case 'odd_scheme':
        return ok({ ...right, authorization_endpoint: 'file:///etc/passwd' });
      case 'no_s256':
        return ok({ ...right, code_challenge_methods_supported: ['plain'] });
      case 'no_iss_parameter':
        return ok({ ...right, authorization_response_iss_parameter_supported: undefined });
      default:
        return ok(right);
    }
  }

  function jwks() {
    switch (fault('jwks')) {
      case 'no_keys':
        return ok({ keys: [] });
      case 'other_key':
        return ok({ keys: [signingKey(algorithm).public_jwk] });
      default:
        return ok({ keys: [key.public_jwk] });
    }
  }

  function authorization(parameters) {
    const kind = fault('authorization');
    const code = random();
    const session = {
      nonce: parameters.get('nonce') ?? undefined,
      challenge: parameters.get('code_challenge'),
      redirect_uri: parameters.get('redirect_uri'),
      sub,
    };
    const answer = { code, state: parameters.get('state'), iss: issuer };
    if (kind.startsWith('code_injection')) {
      // The code of somebody else's session; `checked`: this provider would notice by PKCE.
      session.nonce = 'the nonce of another session';
      session.challenge = kind === 'code_injection_checked' ? 'the challenge of another session' : null;
      session.sub = 'mallory';
    }
    codes.set(code, session);
    const denied = { error: 'access_denied', state: answer.state, iss: issuer };
    const changed = {
      wrong_iss: { ...answer, iss: 'https://honest.example' },
      no_iss: { ...answer, iss: undefined },
      wrong_state: { ...answer, state: 'forged' },
      no_state: { ...answer, state: undefined },
      no_code: { ...answer, code: undefined },
      denied: { ...denied, error_description: 'The person said no' },
      denied_with_markup: { ...denied, error_description: MARKUP },
    };
    const target = new URL(session.redirect_uri);
    for (const [name, value] of Object.entries(changed[kind] ?? answer)) {
      if (value !== undefined && value !== null) target.searchParams.set(name, value);
    }
    if (kind === 'twice') {
      const escaped = target.href.replaceAll('&', '&amp;');
      return html(`<!doctype html><iframe src="${escaped}"></iframe>
<meta http-equiv="refresh" content="1; url=${escaped}">`);
    }
    return { status: 302, headers: { Location: target.href } };
  }

  async function token(form) {
    switch (form.get('grant_type')) {
      case 'authorization_code':
        return exchange(form);
      case 'refresh_token':
        return refresh(form);
      case 'client_credentials':
        return fault('client_credentials') === 'invalid_client'
          ? refused('invalid_client', 401)
          : ok(await tokens({ sub: client_id, machine: true }));
      case DEVICE_GRANT:
        return poll(form);
      default:
        return refused('unsupported_grant_type');
    }
  }

  async function exchange(form) {
    const kind = fault('token');
    if (kind === 'invalid_grant') return refused(kind);
    if (kind === 'invalid_client') return refused(kind, 401);
    const session = codes.get(form.get('code'));
    codes.delete(form.get('code'));
    if (!session || session.redirect_uri !== form.get('redirect_uri')) return refused('invalid_grant');
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    if (session.challenge !== null && session.challenge !== challenge) return refused('invalid_grant');
    const answer = await tokens(session);
    if (kind === 'no_id_token') delete answer.id_token;
    if (kind === 'no_access_token') delete answer.access_token;
    if (kind === 'no_lifetime') delete answer.expires_in;
    if (kind === 'wrong_token_type') answer.token_type = 'mac';
    return ok(answer);
  }

  async function refresh(form) {
    const kind = fault('refresh');
    const session = refresh_tokens.get(form.get('refresh_token'));
    if (!session || kind === 'invalid_grant') return refused('invalid_grant');
    const answer = await tokens({
      ...session,
      nonce: undefined,
      ...(kind === 'other_sub' && { sub: 'mallory' }),
    });
    if (kind === 'same_refresh_token') answer.refresh_token = form.get('refresh_token');
    else if (kind === 'no_refresh_token') delete answer.refresh_token;
    else refresh_tokens.delete(form.get('refresh_token'));
    return ok(answer);
  }

  function device_authorization() {
    const kind = fault('device_authorization');
    if (kind === 'unauthorized_client') return refused(kind);
    const device_code = random();
    devices.set(device_code, { polls: 0 });
    const uri =
      { odd_scheme: 'file:///etc/passwd', http_uri: 'http://127.0.0.1:9/device' }[kind] ??
      `${issuer}/connect`;
    return ok({
      device_code,
      user_code: 'WDJB-MJHT',
      verification_uri: uri,
      verification_uri_complete: `${uri}?user_code=WDJB-MJHT`,
      expires_in: kind === 'short_lived' ? 2 : 600,
      interval: configuration.interval,
    });
  }

  async function poll(form) {
    const device = devices.get(form.get('device_code'));
    if (!device) return refused('invalid_grant');
    device.polls += 1;
    const kind = fault('device');
    if (kind === 'denied') return refused('access_denied');
    if (kind === 'expired') return refused('expired_token');
    if (kind === 'pending') return refused('authorization_pending');
    if (device.polls <= configuration.polls) {
      return refused(kind === 'slow_down' ? 'slow_down' : 'authorization_pending');
    }
    devices.delete(form.get('device_code'));
    return ok(await tokens({ sub }));
  }

  async function tokens(session) {
    const iat = now();
    const named = { iss: issuer, sub: session.sub, iat, exp: iat + configuration.lifetime };
    const header = { alg: algorithm, kid: key.public_jwk.kid };
    const person = { name: session.sub, roles: ['admin'], is_admin: true };
    const parts = { header, key: key.private_key, public_key_pem: key.public_key_pem, algorithm };
    const access_claims = { ...named, ...person, aud: resource, jti: random() };
    const access_token = await ID_TOKENS.well({
      ...parts,
      claims: access_claims,
      header: { ...header, typ: 'at+jwt' },
    });
    const answer = { access_token, token_type: 'Bearer', expires_in: configuration.lifetime };
    if (session.machine) return answer;
    const half = createHash('sha256').update(access_token).digest().subarray(0, 16);
    const id_claims = {
      ...named,
      ...person,
      aud: client_id,
      nonce: session.nonce,
      at_hash: half.toString('base64url'),
    };
    const kind = fault('id_token');
    const refresh_token = random();
    refresh_tokens.set(refresh_token, session);
    return { ...answer, refresh_token, id_token: await ID_TOKENS[kind]({ ...parts, claims: id_claims }) };
  }

  return {
    discovery,
    jwks,
    authorization,
    token,
    device_authorization,
    revocation: () =>
      fault('revocation') === 'unsupported_token_type' ? refused('unsupported_token_type') : ok(''),
    sign_out: (parameters) => {
      const back = parameters.get('post_logout_redirect_uri');
      return back
        ? { status: 302, headers: { Location: back } }
        : html('<!doctype html><p>You are signed out</p>');
    },
  };
}

/** Which faults of the token endpoint and of transport.mjs this request meets. */
export function concern(endpoint, form) {
  if (endpoint !== 'token') return endpoint;
  const kinds = {
    refresh_token: 'refresh',
    client_credentials: 'client_credentials',
    [DEVICE_GRANT]: 'device',
  };
  return kinds[form.get('grant_type')] ?? 'token';
}

export const misbehave = (name, response) => {
  if (!(name in TRANSPORT)) return false;
  TRANSPORT[name](response);
  return true;
};

export const known = (endpoint) => [
  'well',
  ...FAULTS[endpoint],
  ...(endpoint === 'id_token' ? [] : Object.keys(TRANSPORT)),
];

const ok = (body) => ({
  status: 200,
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(body),
});

const html = (body) => ({ status: 200, headers: { 'Content-Type': 'text/html; charset=utf-8' }, body });

const refused = (error, status = 400) => ({
  status,
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({ error, error_description: `The scripted provider says ${error}` }),
});
