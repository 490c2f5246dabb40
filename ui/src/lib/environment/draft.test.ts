import { expect, it } from 'vitest';

import { effective, emptyDraft, suggestion } from './draft';

it.each([
  ['Acme production', 'PROD', 'red'],
  ['acme staging', 'STAGE', 'amber'],
  ['Local', 'DEV', 'green'],
  ['Products of Globex', 'PRODUCTS', null],
  ['Umbrella Corporation', 'UMBRELLA', null],
  ['', '', null],
])('%s suggests the tag %s', (name, tag, accent) => {
  expect(suggestion(name)).toEqual({ tag, accent });
});

it('a tag that was typed is never replaced', () => {
  const draft = { ...emptyDraft(), name: 'Acme production' };
  expect(effective({ ...draft, tag: 'LIVE' }).tag).toBe('LIVE');
  expect(effective(draft).tag).toBe('PROD');
});
