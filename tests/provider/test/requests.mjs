// How do these tests talk to a provider? Plain requests, as a client of any language would send them.
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';

/** Status, headers and body of one request; redirects are not followed. */
export function ask(ca_file, url, { form, headers = {}, timeout } = {}) {
  return new Promise((resolve, reject) => {
    const body = form && new URLSearchParams(form).toString();
    const request = httpsRequest(url, {
      ca: readFileSync(ca_file),
      agent: false,
      timeout,
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        ...(body !== undefined && { 'Content-Type': 'application/x-www-form-urlencoded' }),
        ...headers,
      },
    });
    request.on('timeout', () => request.destroy(new Error('timed out')));
    request.on('error', reject);
    request.on('response', async (response) => {
      let text = '';
      try {
        for await (const chunk of response) text += chunk;
      } catch (error) {
        reject(error);
        return;
      }
      resolve({
        status: response.statusCode,
        headers: response.headers,
        text,
        json: () => JSON.parse(text),
      });
    });
    request.end(body);
  });
}

export const REDIRECT = 'http://127.0.0.1:9/callback';

/** An authorization request with PKCE: where to go, and what has to be remembered. */
export function authorization(ready, more = {}) {
  const verifier = randomBytes(32).toString('base64url');
  const parameters = {
    client_id: 'console',
    response_type: 'code',
    redirect_uri: REDIRECT,
    scope: 'openid offline_access admin',
    prompt: 'consent',
    state: randomBytes(8).toString('hex'),
    nonce: randomBytes(8).toString('hex'),
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    resource: ready.resource,
    ...more,
  };
  const url = new URL('/auth', ready.issuer);
  for (const [name, value] of Object.entries(parameters))
    if (value !== null) url.searchParams.set(name, value);
  return { url: url.href, verifier, ...parameters };
}

/** Follows redirects with cookies, as far as this provider goes; the address outside that comes next. */
export async function follow(ready, url) {
  const cookies = new Map();
  for (;;) {
    const headers = { Cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') };
    const answer = await ask(ready.ca_file, url, { headers });
    for (const cookie of answer.headers['set-cookie'] ?? []) {
      const [name, value] = cookie.split(';')[0].split(/=(.*)/s);
      cookies.set(name, value);
    }
    if (!answer.headers.location) throw new Error(`no redirect from ${url}: ${answer.status} ${answer.text}`);
    url = new URL(answer.headers.location, url).href;
    if (!url.startsWith(ready.issuer)) return new URL(url);
  }
}
