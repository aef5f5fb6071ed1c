//! The values that options have: how each type is read, checked and written.

use std::{collections::BTreeMap, ops::RangeInclusive, path::PathBuf, time::Duration};

use serde_json::Value;

use crate::{
    algorithm::Algorithm,
    json::{self, Json},
    wording::quoted,
};

/// The type and range of an option.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OptionKind {
    /// A string or a list of 1 to 64 strings.
    List,
    /// A string.
    Text,
    /// A boolean.
    Flag,
    /// Whole seconds in this range.
    Seconds(RangeInclusive<u64>),
    /// An integer in this range.
    Integer(RangeInclusive<u64>),
    /// A JWK Set object.
    JwkSet,
    /// An object of at most 32 members: name -> string or list of strings.
    Claims,
}

/// A JWK Set as the value of an option: its JSON text, or the same as a value.
///
/// ```
/// use pomerium_jwt::{JwkSet, Options};
///
/// let text = JwkSet::from(r#"{"keys":[]}"#);
/// assert_eq!(JwkSet::from(serde_json::json!({"keys": []})), text);
/// let options = Options::for_route("https://app.example.com").jwks(text);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwkSet(String);

impl JwkSet {
    /// The JSON text, which is read when a verifier is made.
    ///
    /// ```
    /// assert_eq!(pomerium_jwt::JwkSet::from("{}").text(), "{}");
    /// ```
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// From JSON text.
impl From<String> for JwkSet {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// From JSON text.
impl From<&str> for JwkSet {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// From the set itself.
impl From<Value> for JwkSet {
    fn from(set: Value) -> Self {
        Self(set.to_string())
    }
}

/// A value that an option can have.
pub(super) trait OptionValue {
    fn read(kind: &OptionKind, value: &Json<'_>) -> Result<Self, String>
    where
        Self: Sized;

    fn check(&self, _kind: &OptionKind) -> Result<(), String> {
        Ok(())
    }

    fn write(&self, kind: &OptionKind) -> Value;
}

impl OptionValue for Vec<String> {
    fn read(kind: &OptionKind, value: &Json<'_>) -> Result<Self, String> {
        match value {
            Json::String(one) => Ok(vec![one.to_string()]),
            Json::Array(list) => list
                .iter()
                .map(|entry| entry.as_str().map(str::to_owned).map_or_else(|| kind.refuse(value), Ok))
                .collect(),
            other => kind.refuse(other),
        }
    }

    fn check(&self, kind: &OptionKind) -> Result<(), String> {
        kind.check_length(self.len())
    }

    fn write(&self, _: &OptionKind) -> Value {
        self.clone().into()
    }
}

impl OptionValue for Vec<Algorithm> {
    fn read(kind: &OptionKind, value: &Json<'_>) -> Result<Self, String> {
        let names = Vec::<String>::read(kind, value)?;
        let known = |name: &String| {
            Algorithm::from_name(name).ok_or_else(|| format!("takes ES256 and RS256, not {}", quoted(name)))
        };
        names.iter().map(known).collect()
    }

    fn check(&self, kind: &OptionKind) -> Result<(), String> {
        kind.check_length(self.len())
    }

    fn write(&self, _: &OptionKind) -> Value {
        self.iter().map(|algorithm| algorithm.name()).collect()
    }
}

impl OptionValue for String {
    fn read(kind: &OptionKind, value: &Json<'_>) -> Result<Self, String> {
        value.as_str().map_or_else(|| kind.refuse(value), |text| Ok(text.to_owned()))
    }

    fn write(&self, _: &OptionKind) -> Value {
        self.clone().into()
    }
}

impl OptionValue for PathBuf {
    fn read(kind: &OptionKind, value: &Json<'_>) -> Result<Self, String> {
        String::read(kind, value).map(Self::from)
    }

    /// A name that is not Unicode can be set in code and not be written.
    fn write(&self, _: &OptionKind) -> Value {
        self.to_string_lossy().into()
    }
}

impl OptionValue for JwkSet {
    fn read(kind: &OptionKind, value: &Json<'_>) -> Result<Self, String> {
        match value {
            Json::Object(_) => Ok(Self(value.to_string())),
            other => kind.refuse(other),
        }
    }

    /// Text that is not JSON stays text, and is refused when it is used.
    fn write(&self, _: &OptionKind) -> Value {
        serde_json::from_str(&self.0).unwrap_or_else(|_| self.0.clone().into())
    }
}

impl OptionValue for bool {
    fn read(kind: &OptionKind, value: &Json<'_>) -> Result<Self, String> {
        match value {
            Json::Bool(flag) => Ok(*flag),
            other => kind.refuse(other),
        }
    }

    fn write(&self, _: &OptionKind) -> Value {
        (*self).into()
    }
}

impl OptionValue for u64 {
    fn read(kind: &OptionKind, value: &Json<'_>) -> Result<Self, String> {
        let Json::Number(number) = value else { return kind.refuse(value) };
        let whole = number.as_u64().or_else(|| {
            let real = number.as_f64().filter(|real| real.fract() == 0.0 && (0.0..=1e15).contains(real))?;
            Some(real as u64) // 60.0 is how some languages write 60
        });
        whole.ok_or_else(|| format!("takes {}, not {number}", kind.takes()))
    }

    fn check(&self, kind: &OptionKind) -> Result<(), String> {
        kind.check_number(*self)
    }

    fn write(&self, _: &OptionKind) -> Value {
        (*self).into()
    }
}

impl OptionValue for Duration {
    fn read(kind: &OptionKind, value: &Json<'_>) -> Result<Self, String> {
        u64::read(kind, value).map(Duration::from_secs)
    }

    fn check(&self, kind: &OptionKind) -> Result<(), String> {
        if self.subsec_nanos() != 0 {
            return Err(format!("takes {}, not {self:?}", kind.takes()));
        }
        kind.check_number(self.as_secs())
    }

    fn write(&self, _: &OptionKind) -> Value {
        self.as_secs().into()
    }
}

impl OptionValue for BTreeMap<String, Vec<String>> {
    fn read(kind: &OptionKind, value: &Json<'_>) -> Result<Self, String> {
        let Json::Object(members) = value else { return kind.refuse(value) };
        let read =
            |(name, expected): &json::Member<'_>| Ok((name.to_string(), Vec::read(&OptionKind::List, expected)?));
        members.iter().map(read).collect::<Result<_, String>>()
    }

    fn check(&self, kind: &OptionKind) -> Result<(), String> {
        if self.len() > 32 {
            return Err(format!("takes {}, not {}", kind.takes(), self.len()));
        }
        self.values().try_for_each(|expected| expected.check(&OptionKind::List))
    }

    fn write(&self, _: &OptionKind) -> Value {
        serde_json::json!(self)
    }
}

impl OptionKind {
    /// Reads an environment variable or a command line flag, where everything is text.
    ///
    /// # Errors
    /// A sentence that says what to write.
    pub(super) fn parse_text<'a>(&self, text: &'a str) -> Result<Json<'a>, String> {
        match self {
            OptionKind::Text => Ok(Json::String(text.into())),
            OptionKind::List if text.trim_start().starts_with('[') => self.parse_json(text),
            OptionKind::List => {
                Ok(Json::Array(text.split(',').map(|entry| Json::String(entry.trim().into())).collect()))
            }
            OptionKind::Flag => match text {
                _ if text.eq_ignore_ascii_case("true") || text == "1" => Ok(Json::Bool(true)),
                _ if text.eq_ignore_ascii_case("false") || text == "0" => Ok(Json::Bool(false)),
                _ => Err("takes true, false, 1 or 0".to_owned()),
            },
            OptionKind::Seconds(_) | OptionKind::Integer(_) => match text.parse::<u64>() {
                Ok(number) => Ok(Json::Number(number.into())),
                Err(_) => Err(format!("takes {}, written in digits alone", self.takes())),
            },
            OptionKind::JwkSet | OptionKind::Claims => self.parse_json(text),
        }
    }

    fn parse_json<'a>(&self, text: &'a str) -> Result<Json<'a>, String> {
        json::parse(text).map_err(|_| format!("takes {}; this is not valid JSON", self.takes()))
    }

    fn takes(&self) -> String {
        match self {
            OptionKind::List => "a string or a list of 1 to 64 strings".to_owned(),
            OptionKind::Text => "a string".to_owned(),
            OptionKind::Flag => "true or false".to_owned(),
            OptionKind::Seconds(range) => format!("whole seconds from {} to {}", range.start(), range.end()),
            OptionKind::Integer(range) => format!("a whole number from {} to {}", range.start(), range.end()),
            OptionKind::JwkSet => "a JWK Set, an object whose member keys is a list".to_owned(),
            OptionKind::Claims => "an object of at most 32 names, each with a string or a list of strings".to_owned(),
        }
    }

    fn refuse<T>(&self, value: &Json<'_>) -> Result<T, String> {
        let leave_out = if *value == Json::Null { "; leave the option out instead" } else { "" };
        Err(format!("takes {}, not {}{leave_out}", self.takes(), value.kind()))
    }

    fn check_length(&self, length: usize) -> Result<(), String> {
        if (1..=64).contains(&length) {
            return Ok(());
        }
        Err(format!("takes {}, not a list of {length}", self.takes()))
    }

    fn check_number(&self, number: u64) -> Result<(), String> {
        match self {
            OptionKind::Seconds(range) | OptionKind::Integer(range) if !range.contains(&number) => {
                Err(format!("takes {}, not {number}", self.takes()))
            }
            _ => Ok(()),
        }
    }
}
