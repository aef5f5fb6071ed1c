//! The characters in which a value was written, which a parsed number or object no longer has.
//!
//! Everything here is for text that `parse` has accepted. Other text gives some answer or none, never a
//! panic, and nothing here recurses: depth costs no stack.

/// The text of the member of this name in an object: a string with its quotes and escapes, a number as written.
///
/// `object` must be JSON. Of several members of one name, which only a text that is not strict can have, the last counts.
#[doc(hidden)]
#[must_use]
pub fn member_text<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    let mut values = inside(object, '{')?;
    let mut found = None;
    while let (Some(written), Some(value)) = (values.next(), values.next()) {
        if is_written(written, name) {
            found = Some(value);
        }
    }
    found
}

/// The texts of a list's entries.
pub(crate) fn entries(list: &str) -> impl Iterator<Item = &str> {
    inside(list, '[').into_iter().flatten()
}

fn inside(container: &str, open: char) -> Option<Values<'_>> {
    container.trim_start_matches(is_space).strip_prefix(open).map(Values)
}

/// Whether a string with quotes and escapes is this name.
fn is_written(written: &str, name: &str) -> bool {
    if written.contains('\\') {
        return serde_json::from_str::<String>(written).is_ok_and(|unescaped| unescaped == name);
    }
    written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) == Some(name)
}

/// The values of a container one after the other, starting after its bracket; an object's names are values too.
struct Values<'a>(&'a str);

impl<'a> Iterator for Values<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.0.trim_start_matches(|c| is_space(c) || c == ',' || c == ':');
        let (value, rest) = rest.split_at_checked(value_length(rest.as_bytes()))?;
        self.0 = rest;
        (!value.is_empty()).then_some(value)
    }
}

/// The length of the value that a text begins with; 0 at the end of a container.
fn value_length(text: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => at += string_length(&text[at..]),
            b'[' | b'{' => (depth, at) = (depth + 1, at + 1),
            b']' | b'}' if depth > 0 => (depth, at) = (depth - 1, at + 1),
            b']' | b'}' => break,
            _ if depth > 0 => at += 1,
            b',' | b':' | b' ' | b'\t' | b'\n' | b'\r' => break,
            _ => {
                at += 1;
                continue; // in the middle of a number or a literal
            }
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// The length of the string that a text begins with, quotes included.
fn string_length(text: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r')
}

/// A JSON text without the white space between its tokens; everything else stays as written.
///
/// `text` must be valid JSON.
pub(crate) fn compact(text: &str) -> String {
    let mut in_string = false;
    let mut escaped = false;
    text.chars()
        .filter(|&character| {
            let in_string_before = in_string;
            if escaped {
                escaped = false;
            } else if in_string && character == '\\' {
                escaped = true;
            } else if character == '"' {
                in_string = !in_string;
            }
            in_string_before || !character.is_ascii_whitespace()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_found_as_it_was_written() {
        let object = r#" { "a" : 1.50e+2, "b":"x\"}", "n\u0065sted":{"a":[1, {"a":2}]}, "e":{},"l": [ ] ,"t":true } "#;
        let table = [
            ("a", Some("1.50e+2")),
            ("b", Some(r#""x\"}""#)),
            ("nested", Some(r#"{"a":[1, {"a":2}]}"#)),
            ("e", Some("{}")),
            ("l", Some("[ ]")),
            ("t", Some("true")),
            ("n\\u0065sted", None),
            ("x", None),
            ("", None),
        ];
        for (name, expected) in table {
            assert_eq!(member_text(object, name), expected, "{name}");
        }
        assert_eq!(member_text("{}", "a"), None);
        assert_eq!(member_text(r#"{"a":1,"\u0061":2,"b":3}"#, "a"), Some("2"));
        assert_eq!(member_text(r#"{"":[]}"#, ""), Some("[]"));
    }

    #[test]
    fn entries_are_found_as_they_were_written() {
        let found: Vec<&str> = entries(r#" [ "a,]", 1.0 ,[1,[2]],{"b":"]"},null] "#).collect();
        assert_eq!(found, [r#""a,]""#, "1.0", "[1,[2]]", r#"{"b":"]"}"#, "null"]);
        assert_eq!(entries("[]").count() + entries(" [ ] ").count() + entries("{}").count(), 0);
    }

    #[test]
    fn text_that_is_not_json_is_survived() {
        let deep = "[".repeat(1_000_000);
        let pieces =
            ["", "{", "{\"", "{\"a", "{\"a\\", "{\"a\\\"", "{\"a\"", "{\"a\":", "{\"a\":[", "{a:é", "{]", "é", &deep];
        for text in pieces {
            let _ = (member_text(text, "a"), entries(text).count());
        }
    }

    #[test]
    fn compact_changes_white_space_alone() {
        let table = [
            ("{ \"a\" : [ 1.50e+2 ,\n\"b \\\" c\" ] }", "{\"a\":[1.50e+2,\"b \\\" c\"]}"),
            ("\"\\\\\" ", "\"\\\\\""),
            (" null", "null"),
        ];
        for (text, expected) in table {
            assert_eq!(compact(text), expected);
        }
    }
}
