import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';

import { start } from '../../running.mjs';
import { ask, authorization } from './requests.mjs';

/** A callback listener such as the console's, for one test. */
async function callback(t) {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html' }).end('<p>You can close this window</p>');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.closeAllConnections() ?? server.close());
  return `http://127.0.0.1:${server.address().port}/callback`;
}

test('a person signs in, agrees, connects a device and signs out', async (t) => {
  const server = await start(t, 'provider/serve.mjs');
  const { ready } = server;
  const browser = await start(t, 'provider/browser.mjs');
  const redirect_uri = await callback(t);
  const visit = (line) =>
    browser.command({ username: 'alice', password: 'correct horse', ...line }, 'visited');

  const wrong = await visit({ visit: authorization(ready, { redirect_uri }).url, password: 'wrong' });
  assert.deepEqual(wrong.pages, ['login', 'login']);
  assert.match(wrong.text, /Wrong user name or password/);
  const denied = await visit({ visit: authorization(ready, { redirect_uri }).url, agree: false });
  assert.equal(new URL(denied.url).searchParams.get('error'), 'access_denied');

  const asked = authorization(ready, { redirect_uri });
  const done = await visit({ visit: asked.url });
  assert.deepEqual(done.pages, ['login', 'consent']);
  assert.match(done.text, /You can close this window/);
  const { searchParams } = new URL(done.url);
  assert.equal(searchParams.get('state'), asked.state);
  const form = {
    grant_type: 'authorization_code',
    client_id: 'console',
    redirect_uri,
    code: searchParams.get('code'),
    code_verifier: asked.verifier,
  };
  const tokens = (await ask(ready.ca_file, `${ready.issuer}/token`, { form })).json();
  assert.ok(tokens.id_token && tokens.refresh_token && tokens.access_token);

  // The browser's session remembers; another account is asked for by name; another profile knows nothing.
  const again = await visit({ visit: authorization(ready, { redirect_uri }).url });
  assert.deepEqual(again.pages, ['consent']);
  const select = authorization(ready, { redirect_uri, prompt: 'select_account' });
  const bob = await visit({ visit: select.url, username: 'bob', password: 'battery staple', profile: 'b' });
  assert.deepEqual(bob.pages, ['login', 'consent']);
  const silent = await visit({
    visit: authorization(ready, { redirect_uri, prompt: 'none' }).url,
    profile: 'c',
  });
  assert.equal(new URL(silent.url).searchParams.get('error'), 'login_required');
  const hinted = authorization(ready, { redirect_uri, login_hint: 'bob' }).url;
  const stopped = await visit({ visit: hinted, profile: 'c', stop_at: 'login' });
  assert.deepEqual(stopped.pages, ['login']);

  const device = (
    await ask(ready.ca_file, `${ready.issuer}/device/auth`, {
      form: {
        client_id: 'console',
        scope: 'openid offline_access admin',
        prompt: 'consent',
        resource: ready.resource,
      },
    })
  ).json();
  const poll = () =>
    ask(ready.ca_file, `${ready.issuer}/token`, {
      form: {
        grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
        client_id: 'console',
        device_code: device.device_code,
      },
    });
  assert.equal((await poll()).json().error, 'authorization_pending');
  const typed = await visit({ visit: device.verification_uri, user_code: 'WRNG-CODE' });
  assert.match(typed.text, /not known/);
  const connected = await visit({ visit: device.verification_uri_complete });
  assert.deepEqual(connected.pages.at(-1), 'device-done', connected.pages.join());
  const granted = (await poll()).json();
  assert.ok(granted.access_token && granted.refresh_token, JSON.stringify(granted));

  const end = new URL('/session/end', ready.issuer);
  end.searchParams.set('id_token_hint', tokens.id_token);
  end.searchParams.set('post_logout_redirect_uri', redirect_uri);
  const out = await visit({ visit: end.href });
  assert.deepEqual([out.pages, out.url], [['sign-out'], redirect_uri]);
  await server.event('signed_out');
  const after = await visit({ visit: authorization(ready, { redirect_uri }).url, stop_at: 'login' });
  assert.deepEqual(after.pages, ['login']);
});

test('an address that nobody answers is still told', async (t) => {
  const browser = await start(t, 'provider/browser.mjs');
  const seen = await browser.command({ visit: 'http://127.0.0.1:9/callback?code=x' }, 'visited');
  assert.equal(seen.url, 'http://127.0.0.1:9/callback?code=x');
});
