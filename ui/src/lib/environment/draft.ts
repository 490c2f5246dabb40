// A draft while it is typed: what it starts as, and what is meant by what was left empty.

import type { Accent, EnvironmentDraft } from '../ipc/types';

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
    allow_plain_http: false,
    protection: 'open',
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

/** What is sent: a tag that was left empty is the suggested one. */
export function effective(draft: EnvironmentDraft): EnvironmentDraft {
  return { ...draft, tag: draft.tag.trim() === '' ? suggestion(draft.name).tag : draft.tag };
}

export function sameDraft(one: EnvironmentDraft, other: EnvironmentDraft): boolean {
  return (Object.keys(one) as (keyof EnvironmentDraft)[]).every((key) => one[key] === other[key]);
}

/** The fields that are folded away. */
export const advancedFields: readonly string[] = ['login_path', 'header_name', 'scheme', 'allow_plain_http'];
