//! Strict JSON: one visitor over every text that is believed, tokens and key sets and options alike.
//!
//! RFC 8259 leaves duplicate names, lone surrogates and numbers out of range to the reader, and readers differ: what
//! one library checked, the next one reads otherwise. So they are refused here, at every level, along with invalid
//! UTF-8, a byte order mark, trailing bytes and nesting deeper than [`DEPTH`].

use std::{borrow::Cow, collections::HashSet, fmt};

use serde::{
    Serialize, Serializer,
    de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor},
    ser::SerializeMap,
};
use serde_json::Number;

/// The deepest nesting accepted: `[]` has depth 1, `[[]]` depth 2.
const DEPTH: usize = 128;

/// Members up to this many are compared one by one, beyond it by a hash set.
const FEW: usize = 16;

/// A JSON value that borrows from its text wherever no escape stands in the way.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    Number(Number),
    String(Cow<'a, str>),
    Array(Vec<Json<'a>>),
    Object(Vec<Member<'a>>),
}

/// One member of an object, in the order written. Names are unique.
pub(crate) type Member<'a> = (Cow<'a, str>, Json<'a>);

/// Reads a whole text.
///
/// # Errors
/// A sentence that says what is wrong. It may quote a name of the text, so tokens show it only after the signature.
pub(crate) fn parse(text: &str) -> Result<Json<'_>, String> {
    let mut reader = serde_json::Deserializer::from_str(text);
    reader.disable_recursion_limit(); // Strict counts for itself
    let value = Strict { depth: 0 }.deserialize(&mut reader).map_err(|error| error.to_string())?;
    reader.end().map_err(|error| error.to_string())?;
    Ok(value)
}

/// Reads a whole text of bytes, which must be UTF-8.
pub(crate) fn parse_bytes(text: &[u8]) -> Result<Json<'_>, String> {
    parse(std::str::from_utf8(text).map_err(|_| "not UTF-8")?)
}

impl<'a> Json<'a> {
    /// What the value is, for a sentence: "a string".
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Json::Null => "null",
            Json::Bool(_) => "a boolean",
            Json::Number(_) => "a number",
            Json::String(_) => "a string",
            Json::Array(_) => "a list",
            Json::Object(_) => "an object",
        }
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Json::String(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_array(&self) -> Option<&[Json<'a>]> {
        match self {
            Json::Array(entries) => Some(entries),
            _ => None,
        }
    }

    /// The member of this name; none where there is none and where this is no object.
    pub(crate) fn member(&self, name: &str) -> Option<&Json<'a>> {
        let Json::Object(members) = self else { return None };
        members.iter().find(|(found, _)| found == name).map(|(_, value)| value)
    }
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Json::Null => serializer.serialize_unit(),
            Json::Bool(value) => serializer.serialize_bool(*value),
            Json::Number(value) => value.serialize(serializer),
            Json::String(value) => serializer.serialize_str(value),
            Json::Array(entries) => serializer.collect_seq(entries),
            Json::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                members.iter().try_for_each(|(name, value)| map.serialize_entry(name, value))?;
                map.end()
            }
        }
    }
}

impl fmt::Display for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

/// The visitor, at some depth.
#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == DEPTH {
            return Err(E::custom(format_args!("nested deeper than {DEPTH} levels")));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Json<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Json<'de>, E> {
        Number::from_f64(value).map(Json::Number).ok_or_else(|| E::custom("a number out of range"))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::String(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json<'de>, E> {
        Ok(Json::String(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Json<'de>, A::Error> {
        let inner = self.deeper()?;
        let mut array = Vec::new();
        while let Some(entry) = entries.next_element_seed(inner)? {
            array.push(entry);
        }
        Ok(Json::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json<'de>, A::Error> {
        let inner = self.deeper()?;
        let mut object: Vec<Member<'de>> = Vec::with_capacity(FEW);
        let mut seen = HashSet::new();
        while let Some(name) = members.next_key_seed(Name)? {
            let repeated = if object.len() < FEW {
                object.iter().any(|(earlier, _)| *earlier == name)
            } else {
                if object.len() == FEW {
                    seen.extend(object.iter().map(|(earlier, _)| earlier.clone()));
                }
                !seen.insert(name.clone())
            };
            if repeated {
                return Err(A::Error::custom(format_args!("duplicate name {}", crate::error::quoted(&name))));
            }
            object.push((name, members.next_value_seed(inner)?));
        }
        Ok(Json::Object(object))
    }
}

/// A member's name, borrowed where it holds no escape.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(value.to_owned()))
    }
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
    fn what_other_readers_let_pass_is_refused() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        let many = |last: &str| {
            let names: Vec<String> = (0..40).map(|n| format!("\"n{n}\":0")).collect();
            format!("{{{},\"{last}\":1}}", names.join(","))
        };
        let refused = [
            (r#"{"a":1,"a":1}"#.to_owned(), "duplicate name \"a\""),
            (r#"{"exp":1,"\u0065xp":2}"#.to_owned(), "duplicate name \"exp\""),
            (r#"{"a":[{"b":{"c":1,"c":2}}]}"#.to_owned(), "duplicate name \"c\""),
            (many("n3"), "duplicate name \"n3\""),
            (many("n39"), "duplicate name \"n39\""),
            (r#"{"a":"\ud800"}"#.to_owned(), "hex escape"),
            (r#"{"\udc00":1}"#.to_owned(), "surrogate"),
            (r#"{"a":"\ud800\ud800"}"#.to_owned(), "surrogate"),
            (r#"{"a":1e400}"#.to_owned(), "out of range"),
            (format!("{{\"a\":{}}}", "9".repeat(400)), "out of range"),
            ("\u{feff}{}".to_owned(), "expected value"),
            ("{} {}".to_owned(), "trailing"),
            ("{}\0".to_owned(), "trailing"),
            ("{\"a\":\"\n\"}".to_owned(), "control character"),
            ("[1,]".to_owned(), "trailing comma"),
            ("[01]".to_owned(), "invalid number"),
            ("NaN".to_owned(), "expected value"),
            (String::new(), "EOF"),
            (nested(DEPTH + 1), "nested deeper than 128 levels"),
            (nested(100_000), "nested deeper than 128 levels"),
        ];
        for (text, why) in refused {
            let error = parse(&text).expect_err(&text);
            assert!(error.contains(why), "{text}: {error:?} does not say {why:?}");
        }
        assert_eq!(parse_bytes(b"{\"a\":\"\xff\"}"), Err("not UTF-8".to_owned()));
        assert!(parse(&nested(DEPTH)).is_ok());
        assert!(parse(&many("n40")).is_ok());
    }

    #[test]
    fn a_repeated_name_is_found_wherever_it_stands() {
        for count in 1..3 * FEW {
            for repeated in 0..count {
                let names = (0..count).chain([repeated]).map(|n| format!("\"n{n}\":0"));
                let text = format!("{{{}}}", names.collect::<Vec<_>>().join(","));
                let error = parse(&text).expect_err(&text);
                assert!(error.contains(&format!("duplicate name \"n{repeated}\"")), "{text}: {error}");
            }
        }
    }

    #[test]
    fn many_names_cost_linear_time() {
        let names: Vec<String> = (0..100_000).map(|n| format!("\"{n}\":0")).collect();
        let value = parse_bytes(format!("{{{}}}", names.join(",")).as_bytes()).map(|value| value.to_string().len());
        assert!(value.is_ok());
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
