import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';

import { start } from '../../running.mjs';
import { REDIRECT, ask, authorization } from './requests.mjs';

/** Starts one, and answers how to sign in at it under some faults. */
async function hostile(t, more = {}) {
  const server = await start(t, 'provider/hostile.mjs', more);
  const { ready } = server;
  const token = (form, options) => ask(ready.ca_file, `${ready.issuer}/token`, { form, ...options });
  const under = (faults) => server.command({ faults }, 'faults_changed');
  async function callback(asked) {
    const answer = await ask(ready.ca_file, asked.url.replace('/auth?', '/authorize?'));
    assert.equal(answer.status, 302, answer.text);
    return new URL(answer.headers.location).searchParams;
  }
  async function signIn(faults) {
    await under(faults);
    const asked = authorization(ready);
    const came = await callback(asked);
    const answer = await token({
      grant_type: 'authorization_code',
      client_id: 'console',
      code: came.get('code'),
      redirect_uri: REDIRECT,
      code_verifier: asked.verifier,
    });
    return { asked, came, answer };
  }
  return { server, ready, token, under, callback, signIn };
}

test('without a fault everything is right', async (t) => {
  const { ready, signIn, token } = await hostile(t);
  const { asked, came, answer } = await signIn({});
  assert.deepEqual([came.get('state'), came.get('iss')], [asked.state, ready.issuer]);
  const tokens = answer.json();
  const keys = createLocalJWKSet((await ask(ready.ca_file, `${ready.issuer}/jwks`)).json());
  const { payload } = await jwtVerify(tokens.id_token, keys, { issuer: ready.issuer, audience: 'console' });
  assert.equal(payload.nonce, asked.nonce);
  await jwtVerify(tokens.access_token, keys, { audience: ready.resource });
  const next = await token({ grant_type: 'refresh_token', refresh_token: tokens.refresh_token });
  assert.notEqual(next.json().refresh_token, tokens.refresh_token);
  assert.equal(
    (await token({ grant_type: 'refresh_token', refresh_token: tokens.refresh_token })).status,
    400,
  );
  assert.equal((await token({ grant_type: 'client_credentials' })).status, 200);
});

test('each wrong ID token fails a right check, and only for its own reason', async (t) => {
  const { ready, signIn } = await hostile(t, { algorithm: 'RS256' });
  const keys = createLocalJWKSet(ready.jwks);
  const reasons = {
    wrong_aud: /"aud"/,
    wrong_iss: /"iss"/,
    no_sub: /"sub"/,
    expired: /"exp"/,
    future: /"nbf"/,
    unknown_kid: /no applicable key/,
    bad_signature: /signature verification failed/,
    alg_none: /alg|Invalid/i,
    hs256_public_key: /alg|Unsupported/,
    garbage: /Invalid/,
  };
  for (const [id_token, reason] of Object.entries(reasons)) {
    const tokens = (await signIn({ id_token })).answer.json();
    const rules = {
      issuer: ready.issuer,
      audience: 'console',
      algorithms: ['RS256'],
      requiredClaims: ['sub'],
    };
    await assert.rejects(jwtVerify(tokens.id_token, keys, rules), reason, id_token);
  }
  for (const [id_token, wrong] of Object.entries({
    wrong_nonce: ({ nonce }, asked) => nonce !== asked.nonce,
    no_nonce: ({ nonce }) => nonce === undefined,
    wrong_azp: ({ azp }) => azp === 'another-client',
    other_sub: ({ sub }) => sub === 'mallory',
    wrong_at_hash: ({ at_hash }) => at_hash.startsWith('AAAA'),
  })) {
    const { asked, answer } = await signIn({ id_token });
    const { payload } = await jwtVerify(answer.json().id_token, keys, {
      issuer: ready.issuer,
      audience: 'console',
    });
    assert.ok(wrong(payload, asked), id_token);
  }
  const forged = (await signIn({ id_token: 'hs256_public_key' })).answer.json().id_token;
  assert.equal(decodeProtectedHeader(forged).alg, 'HS256');
  await jwtVerify(forged, Buffer.from(ready.public_key_pem), { audience: 'console' });
});

test('the response can be forged, mixed up, or carry the code of another session', async (t) => {
  const { ready, under, callback, signIn } = await hostile(t);
  const expected = {
    wrong_iss: (came) => came.get('iss') === 'https://honest.example',
    no_iss: (came) => !came.has('iss'),
    wrong_state: (came) => came.get('state') === 'forged',
    no_state: (came) => !came.has('state'),
    no_code: (came) => !came.has('code'),
    denied: (came) => came.get('error') === 'access_denied',
    denied_with_markup: (came) => came.get('error_description').includes('<script>'),
  };
  for (const [name, holds] of Object.entries(expected)) {
    await under({ authorization: name });
    assert.ok(holds(await callback(authorization(ready))), name);
  }
  const injected = (await signIn({ authorization: 'code_injection' })).answer.json();
  const { sub, nonce } = decodeJwt(injected.id_token);
  assert.deepEqual([sub, nonce], ['mallory', 'the nonce of another session']);
  const checked = (await signIn({ authorization: 'code_injection_checked' })).answer;
  assert.equal(checked.json().error, 'invalid_grant');
});

test('every endpoint hangs, lies and floods on request', async (t) => {
  const { server, ready, under, token } = await hostile(t);
  const get = (options) => ask(ready.ca_file, ready.discovery_url, options);
  await under({ discovery: 'hang' });
  await assert.rejects(get({ timeout: 200 }), /timed out/);
  for (const name of ['reset', 'cut']) {
    await under({ discovery: name });
    await assert.rejects(get(), name);
  }
  const answers = {
    html: ({ text }) => text.includes('<h1>'),
    huge: ({ text }) => text.length > 10_000_000 && JSON.parse(text),
    garbage: ({ text }) => text.startsWith('{"access_token": "ey'),
    empty: ({ text }) => text === '{}',
    error: ({ status }) => status === 500,
    redirect: ({ status, headers }) => status === 307 && headers.location.includes('elsewhere'),
    wrong_issuer: (answer) => answer.json().issuer === 'https://honest.example',
    http_endpoints: (answer) => answer.json().token_endpoint.startsWith('http://'),
    odd_scheme: (answer) => answer.json().authorization_endpoint.startsWith('file:'),
  };
  for (const [name, holds] of Object.entries(answers)) {
    await under({ discovery: name });
    assert.ok(holds(await get()), name);
  }
  await under({ refresh: 'html', client_credentials: 'invalid_client' });
  assert.match((await token({ grant_type: 'refresh_token' })).text, /<h1>/);
  assert.equal((await token({ grant_type: 'client_credentials' })).status, 401);
  assert.match((await server.command({ faults: { token: 'nice' } }, 'not_understood')).why, /invalid_grant/);
});

test('a device code is pending, slowed down, denied, expired, granted', async (t) => {
  const { ready, under, token } = await hostile(t, { polls: 1 });
  const device = async () =>
    (await ask(ready.ca_file, `${ready.issuer}/device`, { form: {} })).json().device_code;
  const poll = async (device_code) =>
    (await token({ grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code })).json();
  for (const [name, error] of Object.entries({
    pending: 'authorization_pending',
    slow_down: 'slow_down',
    denied: 'access_denied',
    expired: 'expired_token',
  })) {
    await under({ device: name });
    const code = await device();
    assert.equal((await poll(code)).error, error);
    if (name === 'slow_down') assert.ok((await poll(code)).access_token);
    if (name === 'pending') assert.equal((await poll(code)).error, error);
  }
});

test('its clock can be wrong', async (t) => {
  const { ready, signIn } = await hostile(t, { clock: 900 });
  const { answer } = await signIn({});
  const ahead = decodeJwt(answer.json().id_token).iat - Date.now() / 1000;
  assert.ok(ahead > 890 && ahead < 910);
  const date = Date.parse((await ask(ready.ca_file, ready.discovery_url)).headers.date);
  assert.ok(date - Date.now() > 880_000);
});
