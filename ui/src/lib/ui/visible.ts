// Text that came from outside, made safe to read: what cannot be seen is written out.

/** Control, bidi and other invisible characters, which can make a host or a name look like another. */
const UNSEEN =
  // eslint-disable-next-line no-control-regex, no-misleading-character-class
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb]/g;

/** `a\u202eb` becomes `a‹U+202E›b`. */
export function visible(text: string): string {
  return text.replace(
    UNSEEN,
    (char) => `‹U+${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}›`,
  );
}
