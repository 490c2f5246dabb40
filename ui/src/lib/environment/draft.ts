// A draft while it is typed: what it starts as, and what is meant by what was left empty.

import type { Accent, EnvironmentDraft, Network } from '../ipc/types';

export const accents: readonly Accent[] = [
  'red',
  'orange',
  'amber',
  'green',
  'teal',
  'blue',
  'violet',
  'pink',
  'slate',
];

export const accentWords: Record<Accent, string> = {
  red: 'Red',
  orange: 'Orange',
  amber: 'Amber',
  green: 'Green',
  teal: 'Teal',
  blue: 'Blue',
  violet: 'Violet',
  pink: 'Pink',
  slate: 'Slate',
};

export function emptyDraft(): EnvironmentDraft {
  return {
    name: '',
    base_url: '',
    tag: '',
    accent: 'blue',
    login_path: '/login',
    header_name: 'Authorization',
    scheme: 'Bearer',
    cookie_name: '',
    expected_issuer: '',
    expected_audience: '',
    sign_in: { method: 'pasted_token' },
    network: emptyNetwork(),
    allow_plain_http: false,
    allow_token_copy: false,
    protection: 'open',
  };
}

export function emptyNetwork(): Network {
  return {
    ca_file: '',
    client_certificate_file: '',
    proxy: '',
    proxy_user: '',
    extra_headers: [],
    extra_cookies: [],
    tunnel: null,
    first_byte_seconds: 0,
  };
}

const kinds: readonly [RegExp, string, Accent][] = [
  [/\b(prod|production|live)\b/i, 'PROD', 'red'],
  [/\b(stag|stage|staging|preprod|uat)\b/i, 'STAGE', 'amber'],
  [/\b(test|testing|qa|ci)\b/i, 'TEST', 'violet'],
  [/\b(dev|develop|development|local)\b/i, 'DEV', 'green'],
];

/** What a name suggests: a tag of at most eight characters, and an accent where the name says what it is. */
export function suggestion(name: string): { tag: string; accent: Accent | null } {
  for (const [pattern, tag, accent] of kinds) if (pattern.test(name)) return { tag, accent };
  const word = /[\p{L}\p{N}]+/u.exec(name)?.[0] ?? '';
  return { tag: [...word.toUpperCase()].slice(0, 8).join(''), accent: null };
}

/** What is sent: a tag that was left empty is the suggested one, and a tunnel without a word is none. */
export function effective(draft: EnvironmentDraft): EnvironmentDraft {
  const { tunnel } = draft.network;
  const unused = tunnel !== null && tunnel.program.trim() === '' && tunnel.arguments.length === 0;
  return {
    ...draft,
    tag: draft.tag.trim() === '' ? suggestion(draft.name).tag : draft.tag,
    network: unused ? { ...draft.network, tunnel: null } : draft.network,
  };
}

export function sameDraft(one: EnvironmentDraft, other: EnvironmentDraft): boolean {
  return JSON.stringify(sorted(effective(one))) === JSON.stringify(sorted(effective(other)));
}

/** The same with every object's keys in order, so that the order in which they were set makes no difference. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}

/** What of the network is set, in a few words; empty: nothing. */
export function networkSummary(network: Network): string {
  const names = network.extra_headers.length + network.extra_cookies.length;
  return [
    network.ca_file && 'private CA',
    network.client_certificate_file && 'client certificate',
    network.proxy && 'proxy',
    names > 0 && (names === 1 ? 'one extra header or cookie' : `${names} extra headers and cookies`),
    network.tunnel?.program && 'tunnel',
    network.first_byte_seconds > 0 && `${network.first_byte_seconds} s for an answer`,
  ]
    .filter(Boolean)
    .join(', ');
}

/** The fields that are folded away under "Network" and under "Advanced". */
export const isNetworkField = (field: string) => field.startsWith('network.');
export const advancedFields: readonly string[] = [
  'login_path',
  'header_name',
  'scheme',
  'cookie_name',
  'expected_issuer',
  'expected_audience',
  'allow_plain_http',
  'allow_token_copy',
];
