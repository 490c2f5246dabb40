import { expect, it } from 'vitest';

import { visible } from './visible';

it('writes out what cannot be seen', () => {
  expect(visible('invoice\u202egpj.exe')).toBe('invoice‹U+202E›gpj.exe');
  expect(visible('a\u200bb\u0007c\nd')).toBe('a‹U+200B›b‹U+0007›c‹U+000A›d');
});

it('leaves the languages of the world alone', () => {
  const text = 'Zoë, Łódź, 日本語, العربية, हिन्दी';
  expect(visible(text)).toBe(text);
});
