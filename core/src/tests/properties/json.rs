//! Strict JSON compared with `serde_json::Value`: what strict accepts means the same to both, and what it refuses of a text
//! that serde_json accepts holds a name twice or is too deep.

use proptest::prelude::*;
use serde_json::Value;

use super::{damaged, damages, inputs};
use crate::json;

/// As lenient as serde_json is: the last of several members of one name wins, and depth is limited at 127.
fn lenient(text: &[u8]) -> Option<Value> {
    serde_json::from_slice(text).ok()
}

/// The characters of a valid text that are outside its strings.
fn outside_strings(text: &str) -> impl Iterator<Item = char> {
    // What an escape hides cannot end a string
    let text = text.replace("\\\\", "").replace("\\\"", "");
    let outside = text.split('"').step_by(2).collect::<String>();
    outside.chars().collect::<Vec<_>>().into_iter()
}

fn depth(text: &str) -> usize {
    let mut depth = 0_usize;
    let deepest = outside_strings(text).map(|character| {
        match character {
            '[' | '{' => depth += 1,
            ']' | '}' => depth -= 1,
            _ => {}
        }
        depth
    });
    deepest.max().unwrap_or_default()
}

/// A member written twice leaves a colon too many.
fn repeats_a_name(text: &str, value: &Value) -> bool {
    outside_strings(text).filter(|character| *character == ':').count() != members(value)
}

fn members(value: &Value) -> usize {
    match value {
        Value::Object(object) => object.len() + object.values().map(members).sum::<usize>(),
        Value::Array(entries) => entries.iter().map(members).sum(),
        _ => 0,
    }
}

fn check(text: &[u8]) {
    let strict = json::parse_bytes(text);
    let shown = text.escape_ascii();
    let Some(value) = lenient(text) else {
        assert!(strict.is_err(), "serde_json refuses {shown}, strict reads {strict:?}");
        return;
    };
    let text = std::str::from_utf8(text).expect("serde_json read it");
    match strict {
        Ok(strict) => {
            assert_eq!(serde_json::to_value(&strict).expect("a value"), value, "{shown}");
            assert!(!repeats_a_name(text, &value) && depth(text) <= json::DEPTH, "strict reads {shown}");
            assert_eq!(json::parse(&strict.to_string()).ok(), Some(strict.clone()), "{shown} written and read again");
        }
        Err(why) if why.to_string().contains("duplicate name") => {
            assert!(repeats_a_name(text, &value), "{shown}: {why}")
        }
        Err(why) => assert!(depth(text) > json::DEPTH, "{shown}: {why}"),
    }
}

fn any_document() -> impl Strategy<Value = inputs::Document> {
    inputs::document(&["a", "b", "\\u0061", "c", "d"], &["1", "\"a\"", "{}", "[]"])
}

const SPACES: [&str; 6] = ["", " ", "\n", "\t", "\r", " \n "];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn agrees_with_serde_json(document in any_document()) {
        check(document.text().as_bytes());
    }

    #[test]
    fn agrees_with_serde_json_on_damaged_texts(document in any_document(), damages in damages()) {
        check(&damaged(document.text().as_bytes(), &damages));
    }

    #[test]
    fn agrees_with_serde_json_on_depth(document in any_document(), wrappings in prop::collection::vec(any::<bool>(), 56..72)) {
        let text = wrappings.iter().fold(document.text(), |inner, list| {
            if *list { format!("[{inner}]") } else { format!("{{\"a\":{inner}}}") }
        });
        check(text.as_bytes());
    }

    /// Beyond a few members names are compared by their hashes.
    #[test]
    fn agrees_with_serde_json_on_wide_objects(names in prop::collection::vec(0_u16..300, 10..40)) {
        let members: Vec<String> = names.iter().map(|name| format!("\"{name}\":0")).collect();
        check(format!("{{{}}}", members.join(",")).as_bytes());
    }

    #[test]
    fn compact_takes_away_white_space_and_nothing_else(
        document in any_document(),
        spaces in prop::collection::vec(prop::sample::select(SPACES.to_vec()), 1..9),
    ) {
        let text = document.spaced(&spaces);
        prop_assume!(lenient(text.as_bytes()).is_some());
        prop_assert_eq!(json::compact(&text), document.text());
    }
}

#[test]
fn the_predicates_see_what_they_are_for() {
    let table = [
        (r#"{"a":1,"a":1}"#, true, 1),
        (r#"{"a":{"b":1},"\u0061":{"b":1}}"#, true, 2),
        (r#"[{"a:":1,"b\"{":"a:\\"},{"a:":[[]]}]"#, false, 4),
        ("1", false, 0),
    ];
    for (text, repeats, levels) in table {
        let value = lenient(text.as_bytes()).expect(text);
        assert_eq!((repeats_a_name(text, &value), depth(text)), (repeats, levels), "{text}");
    }
}
