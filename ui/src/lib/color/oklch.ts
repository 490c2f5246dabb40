// Contrast of OKLCH colours, for the tests that hold every accent to WCAG 2.2 (1.4.3 and 1.4.11).
// Matrices: Björn Ottosson, "A perceptual color space for image processing".

export interface Oklch {
  /** Lightness, 0 to 1. */
  l: number;
  /** Chroma. */
  c: number;
  /** Hue in degrees. */
  h: number;
}

/** Reads `oklch(0.62 0.19 25)`; `null` for anything else. */
export function parseOklch(text: string): Oklch | null {
  const match = /^oklch\(\s*([\d.]+)(%?)\s+([\d.]+)\s+([\d.]+)(?:deg)?\s*\)$/.exec(text.trim());
  if (!match) return null;
  const [, l, percent, c, h] = match;
  return { l: Number(l) / (percent ? 100 : 1), c: Number(c), h: Number(h) };
}

/** Linear sRGB, not yet clipped to the gamut. */
export function linearRgb({ l, c, h }: Oklch): [number, number, number] {
  const a = c * Math.cos((h * Math.PI) / 180);
  const b = c * Math.sin((h * Math.PI) / 180);
  const lo = (l + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const me = (l - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const sh = (l - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * lo - 3.3077115913 * me + 0.2309699292 * sh,
    -1.2684380046 * lo + 2.6097574011 * me - 0.3413193965 * sh,
    -0.0041960863 * lo - 0.7034186147 * me + 1.707614701 * sh,
  ];
}

/** Whether a colour can be shown in sRGB as it is, within a rounding step of eight bits. */
export function inSrgb(colour: Oklch): boolean {
  return linearRgb(colour).every((x) => x > -0.002 && x < 1.002);
}

/** Relative luminance, 0 to 1. */
export function luminance(colour: Oklch): number {
  const [r, g, b] = linearRgb(colour).map((x) => Math.min(1, Math.max(0, x))) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Contrast ratio, 1 to 21. */
export function contrast(one: Oklch, other: Oklch): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/** The one of `candidates` that reads best on `background`. */
export function bestOn<T extends Oklch>(background: Oklch, candidates: readonly T[]): T {
  return candidates.reduce((best, next) =>
    contrast(background, next) > contrast(background, best) ? next : best,
  );
}
