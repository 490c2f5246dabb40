// What is wrong with a draft, nearly as the real core says it.

import type { DraftReport, EnvironmentDraft, EnvironmentView, FieldError } from '../types';

/** `before`: the environment that is edited, as it was. */
export function check(draft: EnvironmentDraft, before: EnvironmentView | undefined): DraftReport {
  const errors: FieldError[] = [];
  const say = (field: string, message: string) => errors.push({ field, message });
  if (draft.name.trim() === '') say('name', 'Give it a name.');
  if ([...draft.tag].length > 8) say('tag', 'At most eight characters.');
  if (['host', 'cookie', 'connection', 'te'].includes(draft.header_name.toLowerCase())) {
    say('header_name', `\`${draft.header_name}\` cannot carry a token. Use another header.`);
  }
  if (!draft.login_path.startsWith('/')) say('login_path', 'Begin with a slash.');
  const { sign_in, network } = draft;
  if ('issuer' in sign_in && sign_in.method !== 'local_signing' && sign_in.issuer.trim() === '') {
    say('sign_in.issuer', 'Give the address of the identity provider.');
  }
  if ('client_id' in sign_in && sign_in.client_id.trim() === '') {
    say('sign_in.client_id', 'Give the id that the provider knows the console by.');
  }
  if (sign_in.method === 'local_signing' && sign_in.subject.trim() === '') {
    say('sign_in.subject', 'Give the user’s name or id: AsyncMQ refuses a token without `sub`.');
  }
  if (sign_in.method === 'fixed_headers' && sign_in.names.length === 0) {
    say('sign_in.names', 'Give at least one header’s name, such as X-Authenticated-User.');
  }
  if (sign_in.method === 'external_command' && sign_in.command.program.trim() === '') {
    say('sign_in.command', 'Give the program to run.');
  }
  if (sign_in.method === 'token_endpoint' && !/^https?:\/\//.test(sign_in.url)) {
    say('sign_in.url', 'Give an https address.');
  }
  if (network.proxy !== '' && !/^(https?|socks5h?):\/\/[^/]/.test(network.proxy)) {
    say('network.proxy', 'Give an address such as http://proxy.example:3128 or socks5h://127.0.0.1:1080.');
  }
  if (network.tunnel && network.tunnel.program.trim() === '') {
    say('network.tunnel', 'Give the program to run.');
  }
  let base_url: string | null = null;
  try {
    const text = draft.base_url.trim();
    const url = new URL(/^[a-z]+:\/\//i.test(text) ? text : `https://${text}`);
    const loopback = ['localhost', '127.0.0.1'].includes(url.hostname);
    if (url.search || url.hash || url.username) say('base_url', 'No user name, query or fragment.');
    else if (url.protocol === 'http:' && !loopback && !draft.allow_plain_http) {
      say(
        'base_url',
        'Plain http would show the token to everyone on the way. Use https, or allow plain http below.',
      );
    } else base_url = `${url.origin}${url.pathname.replace(/\/$/, '')}`;
  } catch {
    say('base_url', 'Type an address such as https://admin.acme.example/asyncmq.');
  }
  const moves_credential =
    before !== undefined &&
    base_url !== null &&
    base_url !== before.draft.base_url &&
    before.stored_credential.status !== 'none';
  return { errors, base_url, moves_credential };
}
