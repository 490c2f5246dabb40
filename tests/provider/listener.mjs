// Where does a provider listen, and what certificate does it show? HTTPS on a free loopback port.
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { generate } from 'selfsigned';

import { ConfigurationError, checked } from '../contract.mjs';

const FOLDER = 'asyncmq-provider-';

/**
 * Listens; requests go to what `serve` is called with later, because the address has to be known first.
 *
 * @param {{ certificate_file: string, key_file: string } | null} tls null: a private authority of this run's own
 * @param {number} port 0 takes a free one
 */
export async function listen(tls, port) {
  const { folder, ca_file, ...pem } = tls ? await given(tls) : await made();
  let handler;
  const server = createServer(pem, (request, response) => handler(request, response));
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    origin: `https://127.0.0.1:${server.address().port}`,
    ca_file,
    serve: (next) => {
      handler = next;
    },
    /** Cuts everything that is open, and removes the authority. */
    end: async () => {
      server.close();
      server.closeAllConnections();
      if (folder) await rm(folder, { recursive: true, force: true });
    },
  };
}

async function given(tls) {
  checked(tls, { certificate_file: 0, key_file: 0 });
  if (!tls.certificate_file || !tls.key_file) {
    throw new ConfigurationError('`tls` needs `certificate_file` and `key_file`');
  }
  return { cert: await readFile(tls.certificate_file), key: await readFile(tls.key_file) };
}

async function made() {
  const common = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256' };
  const authority = await generate([{ name: 'commonName', value: 'Private authority of a test provider' }], {
    ...common,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const leaf = await generate([{ name: 'commonName', value: '127.0.0.1' }], {
    ...common,
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 7, ip: '127.0.0.1' },
          { type: 2, value: 'localhost' },
        ],
      },
    ],
  });
  await sweep();
  // Readable by this user only, as mkdtemp makes it.
  const folder = await mkdtemp(join(tmpdir(), `${FOLDER}${process.pid}-`));
  const ca_file = join(folder, 'ca.pem');
  await writeFile(ca_file, authority.cert);
  return { folder, ca_file, cert: leaf.cert, key: leaf.private };
}

/** Removes what providers left that were killed: a folder's name says whose it is. */
async function sweep() {
  for (const name of await readdir(tmpdir())) {
    const pid = name.startsWith(FOLDER) && Number.parseInt(name.slice(FOLDER.length), 10);
    if (pid && !runs(pid)) await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
}

function runs(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code !== 'ESRCH';
  }
}
