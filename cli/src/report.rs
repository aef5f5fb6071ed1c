//! A command's answer: text for standard output, perhaps a failure, and the exit code.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use pomerium_jwt::{Error, ErrorCode, ErrorKind};
use serde::Serialize;

use crate::paste::without_tokens;

/// The token is refused, or a check of `inspect` failed.
pub(crate) const REFUSED: u8 = 1;
/// The command line, the options or a file are wrong; clap exits with it too.
pub(crate) const USAGE: u8 = 2;
/// The keys needed to verify the token are not available.
pub(crate) const NO_KEYS: u8 = 3;
/// A fault of this program or of the machine.
pub(crate) const INTERNAL: u8 = 70;

pub(crate) const HEADING: Style = Style::new().bold();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// What is not verified.
pub(crate) const DOUBTFUL: Style = AnsiColor::Yellow.on_default().bold();

/// The answer of a command.
pub(crate) struct Report {
    /// For standard output. Styles in it are removed if it is not a terminal.
    pub(crate) output: String,
    /// For standard error, and with `--json` for standard output.
    pub(crate) failure: Option<Error>,
    pub(crate) exit_code: u8,
}

impl Report {
    /// An answer whose text describes the failure itself.
    pub(crate) fn with_exit_code(output: String, exit_code: u8) -> Self {
        Self { output, failure: None, exit_code }
    }

    /// The text up to the failure, and the failure.
    pub(crate) fn ended_by(output: String, failure: Error) -> Self {
        Self { output, exit_code: exit_code(&failure), failure: Some(failure) }
    }
}

impl From<String> for Report {
    fn from(output: String) -> Self {
        Self::with_exit_code(output, 0)
    }
}

impl From<Error> for Report {
    fn from(failure: Error) -> Self {
        Self::ended_by(String::new(), failure)
    }
}

/// The command line, the options or a file are wrong: the message says what to write instead.
pub(crate) fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::InvalidOptions, message)
}

/// A fault of this program or of the machine.
pub(crate) fn internal(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::Internal, message)
}

/// The same error, its message followed by this.
pub(crate) fn with_hint(error: &Error, hint: &str) -> Error {
    Error::new(error.code(), error.message().to_owned() + hint)
}

/// The error for standard error.
pub(crate) fn styled(error: &Error) -> String {
    format!("{BAD}{}{BAD:#}: {}", error.code(), printable(&without_tokens(error.message())))
}

/// The error as a JSON object.
pub(crate) fn to_json(error: &Error) -> String {
    #[derive(Serialize)]
    struct Refusal<'a> {
        code: &'a str,
        number: i32,
        kind: &'a str,
        message: &'a str,
    }
    let (code, kind) = (error.code(), error.kind());
    let message = &without_tokens(error.message());
    let refusal = Refusal { code: code.name(), number: code.number(), kind: kind.name(), message };
    serde_json::to_string(&refusal).unwrap_or_default() // strings and a number: cannot fail
}

fn exit_code(error: &Error) -> u8 {
    match error.kind() {
        ErrorKind::Token | ErrorKind::Access => REFUSED,
        ErrorKind::Options => USAGE,
        ErrorKind::Keys => NO_KEYS,
        _ => INTERNAL,
    }
}

/// Escapes every character that could move the cursor, colour the screen or reorder the text.
/// Inside a JSON string the escapes mean the same characters.
pub(crate) fn printable(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut shown, character| {
        let reorders = matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if character.is_control() || reorders {
            let _ = write!(shown, "\\u{:04x}", u32::from(character)); // writing to a String cannot fail
        } else {
            shown.push(character);
        }
        shown
    })
}

/// An object as serde_json prints it over several lines, with one more member at its end, whose value stays as it is
/// written.
pub(crate) fn with_member(object: &str, name: &str, value: &str) -> String {
    let open = object.strip_suffix("\n}").unwrap_or(object);
    let comma = if open.ends_with('{') { "" } else { "," };
    format!("{open}{comma}\n  \"{name}\": {value}\n}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        let table = [
            ("plain é 漢 🦀", "plain é 漢 🦀"),
            ("a\u{1b}[2Jb", "a\\u001b[2Jb"),
            ("a\nb\r\t\0", "a\\u000ab\\u000d\\u0009\\u0000"),
            ("\u{9b}31m\u{7f}", "\\u009b31m\\u007f"),
            ("user\u{202e}nimda", "user\\u202enimda"),
        ];
        for (text, expected) in table {
            assert_eq!(printable(text), expected);
        }
    }
}
