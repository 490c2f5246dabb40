import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { test } from 'node:test';

import { SignJWT, createLocalJWKSet, importSPKI, jwtVerify } from 'jose';

import { start } from '../../running.mjs';
import { REDIRECT, ask, authorization, follow } from './requests.mjs';

const AUTO = { login: 'auto', consent: 'auto' };

/** Exchanges the code that a callback address holds. */
async function exchange(ready, asked, callback, more = {}) {
  const form = {
    grant_type: 'authorization_code',
    client_id: asked.client_id,
    code: callback.searchParams.get('code'),
    redirect_uri: asked.redirect_uri,
    code_verifier: asked.verifier,
    ...more,
  };
  return ask(ready.ca_file, `${ready.issuer}/token`, { form });
}

function refresh(ready, refresh_token) {
  return ask(ready.ca_file, `${ready.issuer}/token`, {
    form: { grant_type: 'refresh_token', client_id: 'console', refresh_token },
  });
}

test('discovery offers what the console uses', async (t) => {
  const { ready } = await start(t, 'provider/serve.mjs');
  const found = (await ask(ready.ca_file, ready.discovery_url)).json();
  assert.equal(found.issuer, ready.issuer);
  assert.equal(found.authorization_response_iss_parameter_supported, true);
  assert.ok(found.device_authorization_endpoint && found.revocation_endpoint && found.end_session_endpoint);
  assert.equal(found.introspection_endpoint, undefined);
  assert.deepEqual((await ask(ready.ca_file, found.jwks_uri)).json().keys[0].kid, ready.jwks.keys[0].kid);
});

for (const algorithm of ['RS256', 'ES256']) {
  test(`code and PKCE end in ${algorithm} tokens with the account's claims`, async (t) => {
    const server = await start(t, 'provider/serve.mjs', {
      ...AUTO,
      algorithm,
      lifetimes: { access_token: 42 },
    });
    const { ready } = server;
    const asked = authorization(ready, { login_hint: 'bob' });
    const callback = await follow(ready, asked.url);
    assert.equal(callback.searchParams.get('state'), asked.state);
    assert.equal(callback.searchParams.get('iss'), ready.issuer);
    const answer = await exchange(ready, asked, callback);
    assert.equal(answer.status, 200, answer.text);
    const tokens = answer.json();
    assert.equal(tokens.expires_in, 42);
    const access = await jwtVerify(tokens.access_token, await importSPKI(ready.public_key_pem, algorithm), {
      issuer: ready.issuer,
      audience: ready.resource,
      algorithms: [algorithm],
    });
    assert.deepEqual(
      [access.payload.sub, access.payload.name, access.payload.roles, access.payload.is_admin],
      ['bob', 'Bob Baker', ['reader'], false],
    );
    const id = await jwtVerify(tokens.id_token, createLocalJWKSet(ready.jwks), { audience: 'console' });
    assert.deepEqual(
      [id.payload.nonce, id.payload.name, id.payload.is_admin],
      [asked.nonce, 'Bob Baker', false],
    );
    assert.equal((await server.event('token_issued')).sub, 'bob');
    assert.equal((await exchange(ready, asked, callback)).status, 400, 'a code works once');
  });
}

test('PKCE is demanded and checked', async (t) => {
  const { ready } = await start(t, 'provider/serve.mjs', AUTO);
  const without = authorization(ready, { code_challenge: null, code_challenge_method: null });
  const refused = await follow(ready, without.url);
  assert.equal(refused.searchParams.get('error'), 'invalid_request');
  const asked = authorization(ready);
  const callback = await follow(ready, asked.url);
  assert.equal((await exchange(ready, asked, callback, { code_verifier: 'x'.repeat(43) })).status, 400);
});

test('a redirect elsewhere, and a resource that is not ours, are refused', async (t) => {
  const { ready } = await start(t, 'provider/serve.mjs', AUTO);
  const elsewhere = await ask(
    ready.ca_file,
    authorization(ready, { redirect_uri: 'http://127.0.0.1:9/other' }).url,
  );
  assert.equal(elsewhere.status, 400);
  assert.match(elsewhere.text, /invalid_redirect_uri/);
  const other = await follow(ready, authorization(ready, { resource: 'https://other.example' }).url);
  assert.equal(other.searchParams.get('error'), 'invalid_target');
});

test('refresh tokens rotate, and a second use ends the sign-in', async (t) => {
  const server = await start(t, 'provider/serve.mjs', AUTO);
  const { ready } = server;
  const asked = authorization(ready);
  const first = (await exchange(ready, asked, await follow(ready, asked.url))).json();
  const second = (await refresh(ready, first.refresh_token)).json();
  assert.notEqual(first.refresh_token, second.refresh_token);
  const reused = await refresh(ready, first.refresh_token);
  assert.deepEqual([reused.status, reused.json().error], [400, 'invalid_grant']);
  assert.equal((await server.event('token_refused')).why, 'refresh token already used');
  assert.equal((await refresh(ready, second.refresh_token)).status, 400);
});

test('a refresh token needs offline_access, unless the provider gives one to everybody', async (t) => {
  for (const [refresh_tokens, expected] of [
    ['offline_access', 'undefined'],
    ['always', 'string'],
  ]) {
    const { ready } = await start(t, 'provider/serve.mjs', { ...AUTO, refresh_tokens });
    const asked = authorization(ready, { scope: 'openid', prompt: null });
    const tokens = (await exchange(ready, asked, await follow(ready, asked.url))).json();
    assert.equal(typeof tokens.refresh_token, expected);
  }
});

test('revocation, and an administrator, end refresh tokens', async (t) => {
  const server = await start(t, 'provider/serve.mjs', AUTO);
  const { ready } = server;
  for (const revoke of [
    async (token) => {
      const form = { token, client_id: 'console', token_type_hint: 'refresh_token' };
      assert.equal((await ask(ready.ca_file, `${ready.issuer}/token/revocation`, { form })).status, 200);
      await server.event('refresh_token_revoked');
    },
    async () => assert.equal((await server.command({ end_grants: true }, 'grants_ended')).count, 1),
  ]) {
    const asked = authorization(ready);
    const tokens = (await exchange(ready, asked, await follow(ready, asked.url))).json();
    await revoke(tokens.refresh_token);
    assert.equal((await refresh(ready, tokens.refresh_token)).json().error, 'invalid_grant');
  }
});

test('machines sign in by Basic, POST and private key', async (t) => {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = { ...pair.publicKey.export({ format: 'jwk' }), kid: 'm', alg: 'ES256', use: 'sig' };
  const { ready } = await start(t, 'provider/serve.mjs', {
    client_jwks: { keys: [jwk] },
    client_secret: 'a secret: with + signs',
  });
  const token = (form, headers) =>
    ask(ready.ca_file, `${ready.issuer}/token`, {
      form: { grant_type: 'client_credentials', ...form },
      headers,
    });
  const encoded = `console-basic:${encodeURIComponent(ready.client_secret)}`;
  const basic = { Authorization: `Basic ${Buffer.from(encoded).toString('base64')}` };
  const client_assertion = await new SignJWT({ jti: randomUUID() })
    .setProtectedHeader({ alg: 'ES256', kid: 'm' })
    .setIssuer('console-key')
    .setSubject('console-key')
    .setAudience(ready.issuer)
    .setIssuedAt()
    .setExpirationTime('1m')
    .sign(createPrivateKey(pair.privateKey.export({ format: 'pem', type: 'pkcs8' })));
  const assertion = {
    client_id: 'console-key',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion,
  };
  for (const answer of [
    await token({}, basic),
    await token({ client_id: 'console-post', client_secret: ready.client_secret }),
    await token(assertion),
  ]) {
    assert.equal(answer.status, 200, answer.text);
    const key = await importSPKI(ready.public_key_pem, 'RS256');
    const { payload } = await jwtVerify(answer.json().access_token, key, { audience: ready.resource });
    assert.equal(payload.sub, payload.client_id);
    assert.equal(payload.is_admin, true);
  }
  assert.equal((await token(assertion)).status, 401, 'an assertion works once');
  assert.equal(
    (await token({ client_id: 'console-post', client_secret: 'wrong' })).json().error,
    'invalid_client',
  );
  assert.equal((await token({ client_id: 'console' })).status, 400);
});

test('an outage can begin and end', async (t) => {
  const server = await start(t, 'provider/serve.mjs');
  const { ready } = server;
  await server.command({ outage: 'unavailable' }, 'outage_changed');
  assert.equal((await ask(ready.ca_file, ready.discovery_url)).status, 503);
  await server.command({ outage: 'hang' }, 'outage_changed');
  await assert.rejects(ask(ready.ca_file, ready.discovery_url, { timeout: 200 }), /timed out/);
  await server.command({ outage: 'none' }, 'outage_changed');
  assert.equal((await ask(ready.ca_file, ready.discovery_url)).status, 200);
  assert.match((await server.command({ outage: 'odd' }, 'not_understood')).why, /outage/);
});

test('the authority goes with the server, and a wrong key is named', async (t) => {
  const server = await start(t, 'provider/serve.mjs');
  assert.ok(existsSync(server.ready.ca_file));
  assert.equal(await server.end(), 0);
  assert.ok(!existsSync(server.ready.ca_file));
  const killed = await start(t, 'provider/serve.mjs');
  process.kill(killed.ready.pid, 'SIGKILL');
  await killed.end();
  await start(t, 'provider/serve.mjs');
  assert.ok(!existsSync(killed.ready.ca_file), 'the next one sweeps what a killed one left');
  await assert.rejects(start(t, 'provider/serve.mjs', { colour: 'red' }), /ended with 2.*colour/s);
  await assert.rejects(start(t, 'provider/serve.mjs', { algorithm: 'none' }), /RS256, ES256/);
});

test('fixed redirects are exact', async (t) => {
  const fixed = 'http://127.0.0.1:18085/callback';
  const { ready } = await start(t, 'provider/serve.mjs', { ...AUTO, fixed_redirect_uris: [fixed] });
  const asked = authorization(ready, { client_id: 'console-fixed', redirect_uri: fixed });
  assert.ok((await follow(ready, asked.url)).href.startsWith(`${fixed}?code=`));
  const other = authorization(ready, { client_id: 'console-fixed', redirect_uri: REDIRECT });
  assert.match((await ask(ready.ca_file, other.url)).text, /invalid_redirect_uri/);
});
