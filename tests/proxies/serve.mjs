// Runs a SOCKS5 proxy and an HTTP proxy on loopback, as one JSON line on standard input describes them. See README.md.
import { lookup } from 'node:dns';
import { readFile } from 'node:fs/promises';

import { createServer, defaultConnectionHandler } from '@pondwader/socks5-server';
import { Server as HttpProxy, RequestError } from 'proxy-chain';

import { ConfigurationError, checked, run, say } from '../contract.mjs';

const MODES = ['well', 'refuse', 'bad_gateway', 'hang'];
const DEFAULTS = { username: null, password: '', names: {}, mode: 'well', tls: null };

await run('proxies/serve.mjs', DEFAULTS, async (configuration) => {
  const door = makeDoor(configuration);
  const socks = await startSocks(door);
  const http = await startHttp(door, { serverType: 'http' });
  const https = configuration.tls && (await startHttp(door, await secure(configuration.tls)));
  return {
    ready: {
      socks5_url: `socks5://127.0.0.1:${socks.port}`,
      http_url: `http://127.0.0.1:${http.port}`,
      ...(https && { https_url: `https://127.0.0.1:${https.port}` }),
    },
    command: async (line) => {
      door.mode = checkedMode(checked(line, { mode: 0 }).mode);
      return { event: 'mode_changed', mode: door.mode };
    },
    end: async () => Promise.all([socks, http, https].map((proxy) => proxy?.close(true))),
  };
});

/** Who may pass, where names lead, and what is said about it; the same for every proxy here. */
function makeDoor({ username, password, names, mode }) {
  return {
    mode: checkedMode(mode),
    demands: username !== null,
    admits: (user, secret) => username === null || (user === username && secret === password),
    /** The address of a name that only these proxies know, else the name. */
    resolve: (host) => names[host] ?? host,
    refused: (proxy, why, user) => say({ event: 'refused', proxy, why, user: user || null }),
    admitted: (proxy, host, port, user) => say({ event: 'admitted', proxy, host, port, user: user || null }),
  };
}

function checkedMode(mode) {
  if (!MODES.includes(mode)) throw new ConfigurationError(`\`mode\` is one of ${MODES.join(', ')}`);
  return mode;
}

async function secure(tls) {
  const { certificate_file, key_file } = checked(tls, { certificate_file: 0, key_file: 0 });
  const httpsOptions = { cert: await readFile(certificate_file), key: await readFile(key_file) };
  return { serverType: 'https', httpsOptions };
}

async function startSocks(door) {
  const open = new Set();
  const proxy = createServer();
  if (door.demands) {
    proxy.setAuthHandler(({ username, password }) => {
      const admitted = door.admits(username, password);
      if (!admitted) door.refused('socks5', 'authentication', username);
      return admitted;
    });
  }
  proxy.setRulesetValidator(({ username }) => {
    if (['refuse', 'bad_gateway'].includes(door.mode)) door.refused('socks5', 'not_allowed', username);
    // Neither true nor false: the client waits.
    return { well: true, refuse: false, bad_gateway: false, hang: undefined }[door.mode];
  });
  proxy.setConnectionHandler((connection, sendStatus) => {
    door.admitted('socks5', connection.destAddress, connection.destPort, connection.username);
    connection.destAddress = door.resolve(connection.destAddress);
    return defaultConnectionHandler(connection, sendStatus);
  });
  proxy.server.on('connection', (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return {
    port: proxy.server.address().port,
    close: () => {
      for (const socket of open) socket.destroy();
      proxy.close();
    },
  };
}

async function startHttp(door, type) {
  const proxy = new HttpProxy({
    ...type,
    host: '127.0.0.1',
    port: 0,
    authRealm: 'Acme proxy',
    prepareRequestFunction: async ({ username, password, hostname, port, isHttp }) => {
      if (!door.admits(username, password)) {
        door.refused(type.serverType, 'authentication', username);
        return { requestAuthentication: true, failMsg: 'Proxy credentials required' };
      }
      if (door.mode === 'hang') return new Promise(() => {});
      if (door.mode === 'refuse') {
        door.refused(type.serverType, 'not_allowed', username);
        throw new RequestError('Not allowed from here', 403);
      }
      if (door.mode === 'bad_gateway') throw new RequestError('The target does not answer', 502);
      const tunnel = isHttp ? '' : '_connect';
      door.admitted(`${type.serverType}${tunnel}`, hostname, port, username);
      return { dnsLookup: (name, options, done) => lookup(door.resolve(name), options, done) };
    },
  });
  proxy.on('requestFailed', ({ error }) => process.stderr.write(`${error.message}\n`));
  await proxy.listen();
  return proxy;
}
