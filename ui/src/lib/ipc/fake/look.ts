// What an address looks like from outside: the first word of its host decides.

import type { LookReport } from '../types';
import { problem } from './views';

export function look(base_url: string): LookReport {
  let url: URL;
  try {
    const text = base_url.trim();
    url = new URL(/^[a-z]+:\/\//i.test(text) ? text : `https://${text}`);
  } catch {
    return { found: 'invalid', message: 'Type an address such as https://admin.acme.example/asyncmq.' };
  }
  switch (url.hostname.split('.')[0]) {
    case 'open':
      return { found: 'open' };
    case 'login':
      return { found: 'login_form', user_field: 'username', password_field: 'password' };
    case 'sso':
      return {
        found: 'sent_elsewhere',
        host: 'id.acme.example',
        issuer: 'https://id.acme.example/realms/operations',
      };
    case 'access':
      return { found: 'sent_elsewhere', host: 'acme.cloudflareaccess.example', issuer: null };
    case 'forbidden':
      return { found: 'refused', status: 403 };
    case 'missing':
      return url.pathname === '/asyncmq/admin'
        ? { found: 'login_form', user_field: 'username', password_field: 'password' }
        : { found: 'not_found', instead: [`${url.origin}/asyncmq/admin`, `${url.origin}/ops/asyncmq`] };
    case 'nothing':
      return { found: 'not_found', instead: [] };
    case 'down':
      return {
        found: 'unreachable',
        problem: problem(
          'dns',
          `Can’t reach ${url.host}`,
          `\`${url.host}\` does not resolve.`,
          'Check the address, the network, and whether a VPN is needed.',
        ),
      };
    default:
      return {
        found: 'token',
        notice: 'Sign in with a bearer token issued by id.acme.example for the audience asyncmq-admin.',
      };
  }
}
