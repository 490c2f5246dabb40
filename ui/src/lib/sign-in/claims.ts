// The claims of a token as rows to read: in the token's order, then what an administrator would miss.

import type { ClaimView, IdentityView } from '../ipc/types';

export interface Row {
  claim: string;
  /** What it means, where the field has a word for it. */
  words: string;
  /** `null`: the token does not have it. */
  value: string | null;
  /** As the token has it, where `value` is not that. */
  raw: string | null;
  /** It is an instant, in milliseconds since the epoch. */
  at: number | null;
}

const words: Record<string, string> = {
  iss: 'Issuer',
  sub: 'Subject',
  aud: 'Audience',
  exp: 'Ends',
  nbf: 'Not before',
  iat: 'Issued',
  auth_time: 'Signed in',
  updated_at: 'Updated',
  jti: 'Token id',
  azp: 'Issued to',
  client_id: 'Client',
  sid: 'Session',
  acr: 'Assurance',
  amr: 'Means',
  scope: 'Scopes',
  name: 'Name',
  preferred_username: 'User name',
  email: 'Email',
  roles: 'Roles',
  groups: 'Groups',
  is_admin: 'Admin',
  admin: 'Admin',
  alg: 'Algorithm',
  kid: 'Key id',
  typ: 'Type',
};

/** NumericDate of RFC 7519 §2: seconds since the epoch. */
const times = new Set(['exp', 'nbf', 'iat', 'auth_time', 'updated_at']);

function instant({ name, value }: ClaimView): number | null {
  if (!times.has(name) || !/^-?\d{1,12}(\.\d+)?$/.test(value)) return null;
  return Number(value) * 1000;
}

/** A list of texts without its brackets; anything else as it is. */
function readable(value: string): string {
  if (!value.startsWith('[')) return value;
  try {
    const list: unknown = JSON.parse(value);
    const texts = Array.isArray(list) && list.length > 0 && list.every((one) => typeof one === 'string');
    return texts ? list.join(', ') : value;
  } catch {
    return value;
  }
}

export function rowsOf(claims: readonly ClaimView[]): Row[] {
  return claims.map((claim) => {
    const value = readable(claim.value);
    const at = instant(claim);
    return {
      claim: claim.name,
      words: words[claim.name] ?? '',
      value,
      raw: value === claim.value && at === null ? null : claim.value,
      at,
    };
  });
}

/** What AsyncMQ's backends and their administrators look for and this token has not. */
export function missingOf(identity: IdentityView): Row[] {
  const has = new Set(identity.claims.map(({ name }) => name));
  const absent = ['sub', 'aud', 'iss', 'exp'].filter((claim) => !has.has(claim));
  const row = (claim: string, meaning: string): Row => ({
    claim,
    words: meaning,
    value: null,
    raw: null,
    at: null,
  });
  return [
    ...(identity.admin === null ? [row('admin', 'Admin')] : []),
    ...absent.map((claim) => row(claim, words[claim] ?? '')),
  ];
}
