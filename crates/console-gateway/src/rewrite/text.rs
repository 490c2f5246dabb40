//! What does a piece of text say to a browser, and where in the original bytes does it say so?

use std::{borrow::Cow, ops::Range};

use encoding_rs::{Encoding, UTF_8};

/// The longest name of a character reference (`&CounterClockwiseContourIntegral;`) has 31 letters.
const LONGEST_REFERENCE: usize = 32;

/// Bytes of the original that are replaced; the range counts from the beginning of the text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) range: Range<usize>,
    pub(super) with: Cow<'static, [u8]>,
}

/// `original` with the edits, which are in order and apart.
pub(super) fn apply(original: &[u8], edits: &[Edit]) -> Vec<u8> {
    let mut out = Vec::with_capacity(original.len());
    let mut copied = 0;
    for edit in edits {
        out.extend_from_slice(&original[copied..edit.range.start]);
        out.extend_from_slice(&edit.with);
        copied = edit.range.end;
    }
    out.extend_from_slice(&original[copied..]);
    out
}

/// One step of a text: a byte of it, or a character that a reference stands for. Everything that has a meaning in
/// URLs, `srcset`, refresh and CSS is ASCII, so other bytes need a charset only in a host name.
#[derive(Clone, Copy, Debug)]
enum Unit {
    Byte(u8),
    Character(char),
}

/// A text as a browser reads it, each step with its place in the original bytes.
pub(super) struct Text {
    units: Vec<(Unit, usize)>,
    end: usize,
    is_whole: bool,
    charset: &'static Encoding,
}

impl Text {
    /// A text in which every byte stands for itself (a header's value), UTF-8 where it is not ASCII.
    pub(super) fn plain(original: &[u8]) -> Self {
        let units = original.iter().enumerate().map(|(at, byte)| (Unit::Byte(*byte), at)).collect();
        Self { units, end: original.len(), is_whole: true, charset: UTF_8 }
    }

    /// The value of an HTML attribute: character references are decoded (HTML, "character reference state"). The old
    /// names that need no semicolon are not: no part of a scheme or host can be written with them.
    ///
    /// Of a long value only about `longest` bytes are read: a step takes sixteen times a byte's memory.
    pub(super) fn attribute(original: &[u8], longest: usize, charset: &'static Encoding) -> Self {
        let mut units = Vec::with_capacity(original.len().min(longest));
        let mut at = 0;
        while let Some(byte) = original.get(at).filter(|_| at < longest) {
            if *byte == b'&'
                && let Some((length, characters)) = reference(&original[at..])
            {
                units.extend(characters.chars().map(|character| {
                    (
                        u8::try_from(character)
                            .ok()
                            .filter(u8::is_ascii)
                            .map_or(Unit::Character(character), Unit::Byte),
                        at,
                    )
                }));
                at += length;
            } else {
                units.push((Unit::Byte(*byte), at));
                at += 1;
            }
        }
        Self { units, end: at, is_whole: at == original.len(), charset }
    }

    /// How many steps there are.
    pub(super) fn len(&self) -> usize {
        self.units.len()
    }

    /// Whether the text ends where the original does.
    pub(super) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// The byte that step `index` is; `None` past the end, 0xFF for a character that is not ASCII.
    pub(super) fn byte(&self, index: usize) -> Option<u8> {
        self.units.get(index).map(|(unit, _)| match unit {
            Unit::Byte(byte) => *byte,
            Unit::Character(_) => 0xFF,
        })
    }

    /// Where step `index` begins in the original bytes.
    pub(super) fn place(&self, index: usize) -> usize {
        self.units.get(index).map_or(self.end, |(_, at)| *at)
    }

    /// The first step of `range` that fits, else the end of `range`.
    pub(super) fn find(&self, range: Range<usize>, fits: impl Fn(u8) -> bool) -> usize {
        let end = range.end;
        range.into_iter().find(|index| self.byte(*index).is_some_and(&fits)).unwrap_or(end)
    }

    /// Whether the steps from `index` on spell `word`, given in lower case, in any case.
    pub(super) fn spells(&self, index: usize, word: &str) -> bool {
        word.bytes()
            .enumerate()
            .all(|(offset, byte)| self.byte(index + offset).is_some_and(|found| found.eq_ignore_ascii_case(&byte)))
    }

    /// The characters of a range of steps.
    pub(super) fn string(&self, range: Range<usize>) -> String {
        let mut out = String::new();
        let mut bytes = Vec::new();
        for (unit, _) in &self.units[range] {
            match unit {
                Unit::Byte(byte) => bytes.push(*byte),
                Unit::Character(character) => {
                    out.push_str(&self.charset.decode_without_bom_handling(&bytes).0);
                    bytes.clear();
                    out.push(*character);
                }
            }
        }
        out.push_str(&self.charset.decode_without_bom_handling(&bytes).0);
        out
    }
}

/// The character reference at the beginning of `text`: how many bytes it takes and what it stands for.
pub(super) fn reference(text: &[u8]) -> Option<(usize, Cow<'_, str>)> {
    if text.get(1) == Some(&b'#') {
        return numeric_reference(text);
    }
    let name = text.iter().skip(1).take(LONGEST_REFERENCE).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let written = std::str::from_utf8(text.get(..name + 2)?).ok()?;
    let decoded = html_escape::decode_html_entities(written);
    (written.ends_with(';') && decoded != written).then_some((written.len(), decoded))
}

/// `html_escape` wants a semicolon and leaves control characters; a browser does neither.
fn numeric_reference(text: &[u8]) -> Option<(usize, Cow<'_, str>)> {
    let (radix, prefix) = if matches!(text.get(2), Some(b'x' | b'X')) { (16, 3) } else { (10, 2) };
    let digits = text[prefix..].iter().take_while(|byte| char::from(**byte).is_digit(radix)).count();
    let written = std::str::from_utf8(&text[prefix..prefix + digits]).ok()?;
    let number = match u32::from_str_radix(written, radix) {
        Ok(number) => number,
        Err(_) if digits > 0 => u32::MAX,
        Err(_) => return None,
    };
    let character = char::from_u32(number).filter(|character| *character != '\0').unwrap_or('\u{FFFD}');
    let semicolon = usize::from(text.get(prefix + digits) == Some(&b';'));
    Some((prefix + digits + semicolon, Cow::Owned(character.to_string())))
}
