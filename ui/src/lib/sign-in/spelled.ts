// A code for a screen reader.

/** `WDJB-MJHT` → `W D J B, dash, M J H T`. */
export function spelled(code: string): string {
  return code
    .split('-')
    .map((part) => [...part.replace(/\s+/g, '')].join(' '))
    .join(', dash, ');
}
