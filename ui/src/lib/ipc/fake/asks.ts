// What a sign-in asks for, as crates/console-core says it, method by method.

import type { Ask, AskKind, EnvironmentDraft } from '../types';

const ask = (key: string, label: string, kind: AskKind, over: Partial<Ask> = {}): Ask => ({
  key,
  label,
  kind,
  help: '',
  required: true,
  stored: false,
  ...over,
});

const optional = (key: string, label: string, kind: AskKind, help: string) =>
  ask(key, label, kind, { help, required: false });

function ofMethod({ sign_in }: EnvironmentDraft): Ask[] {
  switch (sign_in.method) {
    case 'pasted_token':
      return [ask('token', 'Token', 'token')];
    case 'local_signing':
      return [
        sign_in.algorithm.startsWith('HS')
          ? ask('key', 'Shared secret', 'password', {
              help: 'At least 32 bytes. It is kept in the keychain and signs a fresh token every time.',
            })
          : ask('key', 'Private key (PEM)', 'key', {
              help: 'PKCS#8, unencrypted. It is kept in the keychain and signs a fresh token every time.',
            }),
      ];
    case 'token_endpoint':
      return [
        ask('user', 'User name', 'text'),
        ask('password', 'Password', 'password'),
        optional(
          'remember',
          'Keep the password in the keychain',
          'choice',
          'Only needed where the endpoint gives no refresh token.',
        ),
      ];
    case 'login_form':
      return [
        ask('user', 'User name', 'text'),
        ask('password', 'Password', 'password'),
        optional(
          'remember',
          'Keep the password in the keychain',
          'choice',
          'Then the console signs in again by itself when the session ends.',
        ),
      ];
    case 'openid_connect':
    case 'device_code':
      return sign_in.client_authentication === 'none'
        ? []
        : [ask('client_secret', 'Client secret', 'password')];
    case 'client_credentials':
      return sign_in.client_authentication === 'private_key_jwt'
        ? [ask('client_private_key', 'Client’s private key (PEM)', 'key')]
        : [ask('client_secret', 'Client secret', 'password')];
    case 'fixed_headers':
      return sign_in.names.map((name) => ask(name, name, 'password'));
    case 'external_command':
    case 'none':
      return [];
  }
}

function ofNetwork({ network }: EnvironmentDraft): Ask[] {
  return [
    ...(network.proxy_user ? [ask('proxy_password', 'Proxy password', 'password')] : []),
    ...(network.client_certificate_file
      ? [
          optional(
            'client_key',
            'Client certificate’s private key (PEM)',
            'key',
            'Only when the certificate’s file does not hold it.',
          ),
          optional(
            'client_key_password',
            'Client certificate’s password',
            'password',
            'Only for a PKCS#12 file.',
          ),
        ]
      : []),
    ...network.extra_headers.map((name) => ask(`header:${name}`, name, 'password')),
    ...network.extra_cookies.map((name) => ask(`cookie:${name}`, `Cookie ${name}`, 'password')),
  ];
}

/** `stored` names the answers that the vault has. */
export function asksOf(draft: EnvironmentDraft, stored: readonly string[] = []): Ask[] {
  return [...ofMethod(draft), ...ofNetwork(draft)].map((one) => ({
    ...one,
    stored: stored.includes(one.key),
  }));
}
