//! Rewords the core's messages: an option has the name by which the user gave it.

use pomerium_jwt::{OPTIONS, OptionSpec};

/// Words before the name of an option. After other words `route`, `issuer` and `timeout` are ordinary words.
const LEADING: [&str; 8] = ["set", "see", "write", "give", "or", "and", "neither", "nor"];

/// The message with every option's name as `named` gives it.
pub(crate) fn reword(message: &str, named: impl Fn(&OptionSpec) -> String) -> String {
    let mut reworded = String::with_capacity(message.len());
    let mut previous = "";
    for piece in message.split_inclusive(|c: char| c.is_whitespace()) {
        let word = piece.trim_end_matches(|c: char| c.is_whitespace() || ":;,.".contains(c));
        match OPTIONS.iter().find(|spec| spec.name == word) {
            Some(spec) if is_name(word, previous) => reworded.push_str(&(named(spec) + &piece[word.len()..])),
            _ => reworded.push_str(piece),
        }
        previous = word;
    }
    reworded
}

fn is_name(word: &str, previous: &str) -> bool {
    let follows_another = OPTIONS.iter().any(|spec| spec.name == previous);
    word.contains('_') || previous.is_empty() || follows_another || LEADING.contains(&previous)
}

/// `--jwks-url` for `jwks_url`.
pub(crate) fn flag(spec: &OptionSpec) -> String {
    format!("--{}", spec.name.replace('_', "-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_called_as_flags_and_other_words_stay() {
        let table = [
            ("jwks_file keys.json: not found", "--jwks-file keys.json: not found"),
            (
                "audience is missing: set route to the URL, or audience to its host. One key signs every route, so",
                "--audience is missing: set --route to the URL, or --audience to its host. One key signs every route, so",
            ),
            ("set jwks_url, jwks, jwks_file or public_key", "set --jwks-url, --jwks, --jwks-file or --public-key"),
            ("no route to host jwks_file/x \"jwks_file\"", "no route to host jwks_file/x \"jwks_file\""),
            ("leeway", "--leeway"),
            ("", ""),
        ];
        for (message, expected) in table {
            assert_eq!(reword(message, flag), expected);
        }
    }
}
