import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { start } from '../../running.mjs';

const NAMES = { 'admin.internal.test': '127.0.0.1' };
const OPEN = 'admin.internal.test';

async function upstream(t) {
  const server = createServer((request, response) => response.end(`hello ${request.headers.host}`));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return server.address().port;
}

/** What curl says: exit code, HTTP status and body. */
async function curl(proxy, url, ...more) {
  const words = [
    '-sS',
    '--noproxy',
    '',
    '-x',
    proxy,
    '-w',
    '\n%{http_code} %{http_connect}',
    '-m',
    '5',
    url,
    ...more,
  ];
  try {
    const { stdout } = await promisify(execFile)('curl', words);
    return { code: 0, out: stdout };
  } catch (error) {
    return { code: error.code, out: `${error.stdout}${error.stderr}` };
  }
}

const named = (url, user) => url.replace('://', `://${user}@`);

test('both proxies resolve names, pass what knows the password, and say so', async (t) => {
  const port = await upstream(t);
  const server = await start(t, 'proxies/serve.mjs', {
    username: 'ops',
    password: 'pass:word',
    names: NAMES,
  });
  const { socks5_url, http_url } = server.ready;
  const url = `http://${OPEN}:${port}/`;
  for (const [proxy, name, more] of [
    [socks5_url.replace('socks5:', 'socks5h:'), 'socks5', []],
    [http_url, 'http_connect', ['--proxytunnel']],
    [http_url, 'http', []],
  ]) {
    const passed = await curl(named(proxy, 'ops:pass%3Aword'), url, ...more);
    assert.match(passed.out, /hello admin.internal.test/, name);
    assert.deepEqual(await server.event('admitted'), {
      event: 'admitted',
      proxy: name,
      host: OPEN,
      port,
      user: 'ops',
    });
    for (const wrong of [named(proxy, 'ops:wrong'), proxy]) {
      const refused = await curl(wrong, url, ...more);
      assert.doesNotMatch(refused.out, /hello/);
      if (name !== 'socks5') assert.match(refused.out, /407/);
    }
  }
  const local = await curl(named(socks5_url, 'ops:pass%3Aword'), `http://127.0.0.1:${port}/`);
  assert.match(local.out, /hello/);
  assert.equal((await server.event('admitted')).host, '127.0.0.1');
});

test('an unknown name, a closed port, a refusal and silence are told apart', async (t) => {
  const port = await upstream(t);
  const server = await start(t, 'proxies/serve.mjs', { names: NAMES });
  const { socks5_url, http_url } = server.ready;
  const socks = socks5_url.replace('socks5:', 'socks5h:');
  assert.match((await curl(socks, `http://${OPEN}:${port}/`)).out, /hello/);
  assert.equal((await curl(socks, 'http://nowhere.invalid/')).code, 97);
  assert.equal((await curl(socks, `http://${OPEN}:9/`)).code, 97);
  // Without a word: proxy-chain closes the tunnel's connection when the target does not answer.
  assert.match((await curl(http_url, 'http://nowhere.invalid/', '--proxytunnel')).out, /CONNECT aborted/);
  await server.command({ mode: 'bad_gateway' }, 'mode_changed');
  assert.match((await curl(http_url, `http://${OPEN}:${port}/`, '--proxytunnel')).out, / 502/);
  await server.command({ mode: 'refuse' }, 'mode_changed');
  assert.equal((await curl(socks, `http://${OPEN}:${port}/`)).code, 97);
  assert.match((await curl(http_url, `http://${OPEN}:${port}/`, '--proxytunnel')).out, / 403/);
  await server.command({ mode: 'hang' }, 'mode_changed');
  for (const proxy of [socks, http_url]) {
    assert.equal((await curl(proxy, `http://${OPEN}:${port}/`, '--proxytunnel', '-m', '0.5')).code, 28);
  }
  assert.equal(await server.end(), 0);
});
