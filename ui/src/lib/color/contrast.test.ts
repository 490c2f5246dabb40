import { describe, expect, it } from 'vitest';

import css from '../../styles/tokens.css?raw';
import { accents } from '../environment/draft';
import { bestOn, contrast, inSrgb, parseOklch, type Oklch } from './oklch';

const [light, dark] = css.split('@media (prefers-color-scheme: dark)') as [string, string];

function declarations(text: string): Map<string, string> {
  return new Map(
    [...text.matchAll(/--([\w-]+):\s*([^;]+);/g)].map(([, name, value]) => [name ?? '', value ?? '']),
  );
}

const lightTokens = declarations(light);
const themes = {
  light: lightTokens,
  dark: new Map([...lightTokens, ...declarations(dark.split('@media')[0] ?? '')]),
};

describe.each(Object.entries(themes))('in the %s theme', (_, tokens) => {
  function colour(name: string): Oklch {
    const value = tokens.get(name);
    const alias = /^var\(--([\w-]+)\)$/.exec(value ?? '');
    if (alias) return colour(alias[1] ?? '');
    const parsed = value === undefined ? null : parseOklch(value);
    if (!parsed) throw new Error(`--${name} is no plain oklch() colour: ${value}`);
    return parsed;
  }
  const surfaces = ['surface', 'canvas', 'rail', 'hover'];

  it.each(accents)('%s exists on every screen', (accent) => {
    expect(inSrgb(colour(accent))).toBe(true);
  });

  it.each(accents)('text on %s is the better of ink and paper, and at least 4.5:1', (accent) => {
    const best = bestOn(colour(accent), [colour('ink'), colour('paper')]);
    expect(colour(`${accent}-text`)).toEqual(best);
    expect(contrast(colour(accent), best)).toBeGreaterThanOrEqual(4.5);
  });

  it.each(accents)('%s is at least 3:1 beside the bar, the rail and the content', (accent) => {
    for (const surface of ['surface', 'canvas', 'rail']) {
      expect(contrast(colour(accent), colour(surface)), surface).toBeGreaterThanOrEqual(3);
    }
  });

  it.each(['text', 'muted', 'danger', 'warning', 'ok'])('%s reads at 4.5:1 on every surface', (name) => {
    for (const surface of surfaces) {
      expect(contrast(colour(name), colour(surface)), surface).toBeGreaterThanOrEqual(4.5);
    }
  });

  it('edges of controls and the focus ring are 3:1 where they are drawn', () => {
    for (const surface of ['surface', 'canvas', 'rail']) {
      expect(contrast(colour('control'), colour(surface)), `control on ${surface}`).toBeGreaterThanOrEqual(3);
      expect(contrast(colour('focus'), colour(surface)), `focus on ${surface}`).toBeGreaterThanOrEqual(3);
    }
  });

  it('the primary action reads at 4.5:1, hovered too', () => {
    expect(contrast(colour('primary'), colour('primary-text'))).toBeGreaterThanOrEqual(4.5);
    expect(contrast(colour('primary-hover'), colour('primary-text'))).toBeGreaterThanOrEqual(4.5);
  });
});

it('measures contrast as WCAG does', () => {
  const black = { l: 0, c: 0, h: 0 };
  const white = { l: 1, c: 0, h: 0 };
  expect(contrast(black, white)).toBeCloseTo(21, 2);
  expect(contrast(white, white)).toBeCloseTo(1, 5);
  // sRGB #ff0000 on white, a published value.
  expect(contrast({ l: 0.62796, c: 0.25768, h: 29.234 }, white)).toBeCloseTo(4.0, 1);
});
