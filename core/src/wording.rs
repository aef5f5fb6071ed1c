//! How values that others wrote stand in a message.

use std::borrow::Cow;

/// A value in quotes for a message: control characters escaped, at most 64 characters.
pub(crate) fn quoted(value: &str) -> String {
    const LONGEST: usize = 64;
    match value.char_indices().nth(LONGEST) {
        None => format!("{value:?}"),
        Some((end, _)) => format!("{:?} (cut)", &value[..end]),
    }
}

/// A value for a message, or that there is none.
pub(crate) fn absent_or(value: &str) -> Cow<'static, str> {
    if value.is_empty() { "missing or empty".into() } else { quoted(value).into() }
}

/// Several values for a message, the first four of them.
pub(crate) fn listed(values: &[&str]) -> Cow<'static, str> {
    const SHOWN: usize = 4;
    match values {
        [] => "missing or empty".into(),
        [one] => absent_or(one),
        _ => {
            let shown: Vec<String> = values.iter().take(SHOWN).map(|value| quoted(value)).collect();
            let more = if values.len() > SHOWN { ", ..." } else { "" };
            format!("[{}{more}]", shown.join(", ")).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_values_are_short_and_harmless() {
        assert_eq!(quoted("a\n\"b\u{1b}"), r#""a\n\"b\u{1b}""#);
        assert_eq!(quoted(&"é".repeat(65)), format!("\"{}\" (cut)", "é".repeat(64)));
    }
}
