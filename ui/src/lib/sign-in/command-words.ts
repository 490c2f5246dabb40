// A command as the core shows it for approval: each word in quotes, as Rust's `Debug` writes it, with spaces between.

const SHOWN = /^"(?:[^"\\]|\\.)*"(?: "(?:[^"\\]|\\.)*")*$/;
const WORD = /"(?:[^"\\]|\\.)*"/g;

/**
 * Its words, one each; `null`: it is no command. A word keeps its quotes where they tell something: it is empty, has
 * spaces in it, or something that had to be escaped.
 */
export function wordsOf(shown: string): string[] | null {
  if (!SHOWN.test(shown)) return null;
  return (shown.match(WORD) ?? []).map((word) => (/^"[^\s\\]+"$/.test(word) ? word.slice(1, -1) : word));
}
