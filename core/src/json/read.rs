//! Reads JSON strictly: one visitor walks the whole text.

use std::{borrow::Cow, error::Error, fmt, str::Utf8Error};

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use super::value::Json;
use crate::wording::quoted;

/// The deepest nesting of a payload, a key set or options: `[]` has depth 1, `[[]]` depth 2. Pomerium nests claims
/// three or four levels deep; each level costs stack, which belongs to the caller's thread.
pub(crate) const DEPTH: usize = 64;

/// Members up to this many are compared one by one, more of them sorted.
const FEW: usize = 16;

/// Names with which serde_json passes private values to itself. A member called so is read as something else if any
/// crate of the application turns on `raw_value` or `arbitrary_precision`.
const RESERVED: [&str; 2] = ["$serde_json::private::RawValue", NUMBER];
const NUMBER: &str = "$serde_json::private::Number";

/// Reads a whole text, nested at most [`DEPTH`] levels deep.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn parse(text: &str) -> Result<Json<'_>, NotStrict> {
    read(text, DEPTH, Keep::All)
}

/// Reads a whole text of bytes, which must be UTF-8.
pub(crate) fn parse_bytes(text: &[u8]) -> Result<Json<'_>, NotStrict> {
    parse(std::str::from_utf8(text)?)
}

/// Judges a whole text as strictly as [`parse`], but keeps only the members of these names, and of a list or object in
/// them only that it is one.
pub(crate) fn parse_members<'a>(text: &'a [u8], depth: usize, names: &[&str]) -> Result<Json<'a>, NotStrict> {
    read(std::str::from_utf8(text)?, depth, Keep::Members(names))
}

fn read<'a>(text: &'a str, depth: usize, keep: Keep<'_>) -> Result<Json<'a>, NotStrict> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let strict = Strict { text, allowed: depth, left: depth, keep, names: &mut Vec::with_capacity(FEW) };
    let value = strict.deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// Why a text is not strict JSON. Its sentence may quote a name of the text, so tokens show it only after the signature.
#[derive(Debug)]
pub(crate) enum NotStrict {
    Encoding(Utf8Error),
    Syntax(serde_json::Error),
}

impl Error for NotStrict {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            NotStrict::Encoding(error) => Some(error),
            NotStrict::Syntax(error) => Some(error),
        }
    }
}

impl From<Utf8Error> for NotStrict {
    fn from(error: Utf8Error) -> Self {
        NotStrict::Encoding(error)
    }
}

impl From<serde_json::Error> for NotStrict {
    fn from(error: serde_json::Error) -> Self {
        NotStrict::Syntax(error)
    }
}

impl fmt::Display for NotStrict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotStrict::Encoding(_) => f.write_str("not UTF-8"),
            NotStrict::Syntax(error) => error.fmt(f),
        }
    }
}

/// How much of a value is kept. All of it is judged.
#[derive(Clone, Copy, PartialEq)]
enum Keep<'k> {
    All,
    /// The members of an object that have these names.
    Members(&'k [&'k str]),
    /// A string or a number; a list or an object without its contents.
    Shallow,
    Nothing,
}

impl<'k> Keep<'k> {
    fn of_member(self, name: &str) -> Self {
        match self {
            Keep::All => Keep::All,
            Keep::Members(names) if names.contains(&name) => Keep::Shallow,
            _ => Keep::Nothing,
        }
    }

    fn of_entry(self) -> Self {
        if self == Keep::All { Keep::All } else { Keep::Nothing }
    }
}

/// The visitor, at some depth.
struct Strict<'s, 'de> {
    text: &'de str,
    allowed: usize,
    /// The levels that may still be opened.
    left: usize,
    keep: Keep<'s>,
    /// The names of every object that is being read, the innermost one's last: one list for the whole text.
    names: &'s mut Vec<Cow<'de, str>>,
}

impl<'de> Strict<'_, 'de> {
    /// Opens a list or an object.
    fn open<E: serde::de::Error>(&mut self) -> Result<(), E> {
        let too_deep = || E::custom(format_args!("nested deeper than {} levels", self.allowed));
        self.left = self.left.checked_sub(1).ok_or_else(too_deep)?;
        Ok(())
    }

    /// The visitor for one value in the list or object that was opened.
    fn value<'n>(&'n mut self, keep: Keep<'n>) -> Strict<'n, 'de> {
        Strict { text: self.text, allowed: self.allowed, left: self.left, keep, names: self.names }
    }

    /// Whether this is a number, in the form in which serde_json passes it if any crate of the application turns on
    /// `arbitrary_precision`. The name is then serde_json's own and not a part of the text.
    fn is_number(&self, first: Option<&Cow<'de, str>>) -> bool {
        let Some(Cow::Borrowed(name)) = first else { return false };
        *name == NUMBER && !self.text.as_bytes().as_ptr_range().contains(&name.as_ptr())
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_, 'de> {
    type Value = Json<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_, 'de> {
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
        let kept = if self.keep == Keep::Nothing { Cow::Borrowed("") } else { Cow::Owned(value.to_owned()) };
        Ok(Json::String(kept))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut entries: A) -> Result<Json<'de>, A::Error> {
        self.open()?;
        let keep = self.keep.of_entry();
        let mut array = Vec::new();
        while let Some(entry) = entries.next_element_seed(self.value(keep))? {
            if keep == Keep::All {
                array.push(entry);
            }
        }
        Ok(Json::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<Json<'de>, A::Error> {
        let mut next = members.next_key_seed(Name)?;
        if self.is_number(next.as_ref()) {
            return number(&members.next_value::<String>()?);
        }
        self.open()?;
        let first = self.names.len();
        // Room in the outermost one alone, once a text: what is inside it could ask for it many times
        let outermost = self.left + 1 == self.allowed;
        let mut object = Vec::with_capacity(if outermost { FEW } else { 0 });
        while let Some(name) = next {
            let keep = self.keep.of_member(&name);
            let value = members.next_value_seed(self.value(keep))?;
            if keep != Keep::Nothing {
                object.push((name.clone(), value));
            }
            self.names.push(name);
            next = members.next_key_seed(Name)?;
        }
        judge_names(&mut self.names[first..]).map_err(A::Error::custom)?;
        self.names.truncate(first);
        Ok(Json::Object(object))
    }
}

/// The number of a text that serde_json has found to be one, as it reads it without `arbitrary_precision`.
fn number<E: serde::de::Error>(text: &str) -> Result<Json<'static>, E> {
    let float = || text.parse().ok().and_then(Number::from_f64).ok_or_else(|| E::custom("a number out of range"));
    let signed = || text.parse::<i64>().ok().filter(|value| *value != 0).map(Number::from);
    text.parse::<u64>().ok().map(Number::from).or_else(signed).map_or_else(float, Ok).map(Json::Number)
}

/// Refuses names that two readers could read differently. Does not keep the order of the names.
fn judge_names(names: &mut [Cow<'_, str>]) -> Result<(), String> {
    if let Some(name) = names.iter().find(|name| RESERVED.contains(&&***name)) {
        return Err(format!("the name {} is reserved", quoted(name)));
    }
    let repeated = if names.len() <= FEW {
        names.iter().enumerate().find(|(position, name)| names[..*position].contains(name)).map(|(_, name)| name)
    } else {
        names.sort_unstable();
        names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| &pair[1])
    };
    repeated.map_or(Ok(()), |name| Err(format!("duplicate name {}", quoted(name))))
}

/// A member's name, borrowed unless it holds an escape.
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
            (nested(DEPTH + 1), "nested deeper than 64 levels"),
            (nested(100_000), "nested deeper than 64 levels"),
            (r#"{"$serde_json::private::RawValue":"1"}"#.to_owned(), "is reserved"),
            (r#"[{"a":{"\u0024serde_json::private::RawValue":"1"}}]"#.to_owned(), "is reserved"),
            (r#"{"$serde_json::private::Number":"1"}"#.to_owned(), "is reserved"),
            (r#"{"a":{"$serde_json::private::N\u0075mber":"1","b":1}}"#.to_owned(), "is reserved"),
            (many("$serde_json::private::RawValue"), "is reserved"),
        ];
        for (text, why) in refused {
            let error = parse(&text).expect_err(&text);
            assert!(error.to_string().contains(why), "{text}: {error} does not say {why:?}");
        }
        assert_eq!(parse_bytes(b"{\"a\":\"\xff\"}").unwrap_err().to_string(), "not UTF-8");
        assert!(parse(&nested(DEPTH)).is_ok());
        assert!(parse(&many("n40")).is_ok());
    }

    #[test]
    fn what_is_not_kept_is_judged_all_the_same() {
        fn read(text: &str) -> Result<Json<'_>, NotStrict> {
            parse_members(text.as_bytes(), 2, &["kid", "x"])
        }
        let text = r#"{"kid":"a\n","y":1,"x":[1,"b"],"z":{"x":1}}"#;
        let kept = vec![("kid".into(), Json::String("a\n".into())), ("x".into(), Json::Array(Vec::new()))];
        assert_eq!(read(text).ok(), Some(Json::Object(kept)));
        let refused = [
            (r#"{"y":1,"y":1}"#, "duplicate name \"y\""),
            (r#"{"y":{"z":1,"z":1}}"#, "duplicate name \"z\""),
            (r#"{"y":["\ud800"]}"#, "hex escape"),
            (r#"{"y":[1e400]}"#, "out of range"),
            (r#"{"y":[[]]}"#, "nested deeper than 2 levels"),
            (r#"{"y":{"$serde_json::private::RawValue":"1"}}"#, "is reserved"),
            (r#"{"y":1}}"#, "trailing"),
        ];
        for (text, why) in refused {
            let error = read(text).expect_err(text);
            assert!(error.to_string().contains(why), "{text}: {error} does not say {why:?}");
        }
    }

    #[test]
    fn an_error_has_its_cause() {
        for text in [b"{".as_slice(), b"\xff"] {
            assert!(parse_bytes(text).unwrap_err().source().is_some(), "{}", text.escape_ascii());
        }
    }

    #[test]
    fn numbers_are_the_same_with_arbitrary_precision() {
        for text in ["0", "-0", "-0.0", "1", "-1", "-9223372036854775808", "18446744073709551615", "1e2", "0.5"] {
            let number = number::<serde_json::Error>(text).expect(text);
            // Debug tells -0.0 from 0
            assert_eq!(format!("{number:?}"), format!("{:?}", parse(text).expect(text)), "{text}");
        }
    }

    #[test]
    fn names_of_different_objects_are_not_compared() {
        let text = r#"{"a":{"a":[{"a":1},{"a":2}],"b":1},"b":{"a":1}}"#;
        assert_eq!(parse(text).unwrap().to_string(), text);
    }

    #[test]
    fn a_repeated_name_is_found_wherever_it_stands() {
        for count in 1..3 * FEW {
            for repeated in 0..count {
                let names = (0..count).chain([repeated]).map(|n| format!("\"n{n}\":0"));
                let text = format!("{{{}}}", names.collect::<Vec<_>>().join(","));
                let error = parse(&text).expect_err(&text);
                assert!(error.to_string().contains(&format!("duplicate name \"n{repeated}\"")), "{text}: {error}");
            }
        }
    }

    #[test]
    fn many_names_take_no_quadratic_time() {
        let names: Vec<String> = (0..100_000).map(|n| format!("\"{n}\":0")).collect();
        let value = parse_bytes(format!("{{{}}}", names.join(",")).as_bytes()).map(|value| value.to_string().len());
        assert!(value.is_ok());
    }
}
