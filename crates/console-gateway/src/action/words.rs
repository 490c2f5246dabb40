//! How is a write named, so that a person reads what it does and nothing else?

use std::fmt::Write as _;

use super::{Meaning, Object, Verb};

/// The longest name, in characters.
const LONGEST: usize = 120;
/// An id up to this many characters stands whole: a UUID has 36.
const WHOLE: usize = 40;
/// Of a longer one, these many characters at its beginning and its end.
const ENDS: (usize, usize) = (20, 12);

/// "Retry job 7f3a in emails".
pub(super) fn name(meaning: &Meaning) -> String {
    let queue = shown(&meaning.queue);
    let verb = match meaning.verb {
        Verb::Retry => "Retry",
        Verb::Remove => "Remove",
        Verb::Cancel => "Cancel",
        Verb::Pause => "Pause",
        Verb::Resume => "Resume",
        Verb::Create => "Add",
    };
    let kind = match meaning.object {
        Object::Queue => return cut(&format!("{verb} queue {queue}")),
        Object::Job => "job",
        Object::DeadLetter => "dead letter",
        Object::Repeatable => "repeatable",
    };
    let place = match meaning.verb {
        Verb::Remove => "from",
        Verb::Create => "to",
        _ => "in",
    };
    let schedule = meaning.schedule.as_deref().map(|schedule| format!(" ({})", printable(schedule)));
    let schedule = schedule.unwrap_or_default();
    match meaning.subjects.as_slice() {
        [] => cut(&format!("{verb} no {kind} {place} {queue}")),
        [one] => cut(&format!("{verb} {kind} {} {place} {queue}{schedule}", shown(one))),
        many => listed(format!("{verb} {} {kind}s {place} {queue}", many.len()), many),
    }
}

/// `POST /path`.
pub(super) fn unknown(method: &str, target: &str) -> String {
    cut(&format!("{method} {}", printable(target)))
}

/// The number is what counts; the ids follow as far as they fit.
fn listed(mut name: String, subjects: &[String]) -> String {
    let mut separator = ": ";
    for (number, subject) in subjects.iter().enumerate() {
        let piece = format!("{separator}{}", shown(subject));
        let more = format!(" and {} more", subjects.len() - number);
        if name.chars().count() + piece.chars().count() + more.chars().count() > LONGEST {
            if number > 0 {
                name.push_str(&more);
            }
            break;
        }
        name.push_str(&piece);
        separator = ", ";
    }
    cut(&name)
}

/// A name of the remote side: shortened, and in quotation marks where it could be taken for words of ours.
fn shown(text: &str) -> String {
    let length = text.chars().count();
    let short = if length <= WHOLE {
        printable(text)
    } else {
        let beginning: String = text.chars().take(ENDS.0).collect();
        let end: String = text.chars().skip(length - ENDS.1).collect();
        format!("{}…{} ({length} characters)", printable(&beginning), printable(&end))
    };
    let is_a_word = |c: char| c.is_alphanumeric() || "-_.:@/+#…".contains(c);
    let is_plain = !text.is_empty() && text.chars().all(is_a_word) && !text.contains('…');
    if is_plain { short } else { format!("“{short}”") }
}

/// Every character that cannot be seen, or that changes how others are seen, as `\u{…}`.
fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => printable.push_str("\\\\"),
            c if is_hidden(c) => {
                let _ = write!(printable, "{}", c.escape_unicode());
            }
            c => printable.push(c),
        }
    }
    printable
}

/// Controls, white space that is not a plain space, marks that close our quotation, and Unicode's
/// `Default_Ignorable_Code_Point` and `Bidi_Control` (DerivedCoreProperties.txt, PropList.txt).
fn is_hidden(c: char) -> bool {
    c.is_control()
        || (c.is_whitespace() && c != ' ')
        || matches!(
            c,
            '“' | '”'
                | '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{2800}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

fn cut(name: &str) -> String {
    match name.char_indices().nth(LONGEST) {
        None => name.to_owned(),
        Some(_) => name.chars().take(LONGEST - 1).chain(['…']).collect(),
    }
}
