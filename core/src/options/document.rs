//! Options from a JSON document, and as one.

use std::sync::Arc;

use serde_json::Value;

use super::{name::find, spec::OptionSpec, table::Options};
use crate::{
    error::Error,
    json::{self, Json},
};

impl Options {
    /// Reads a JSON document: an object with the names of [`OPTIONS`](crate::OPTIONS). An option that is left out has its default;
    /// `null` is not a value.
    ///
    /// ```
    /// use pomerium_jwt::Options;
    ///
    /// let options = Options::from_json(r#"{"route":"https://app.example.com","leeway":30}"#)?;
    /// let error = Options::from_json(r#"{"clock_skew":30}"#).unwrap_err();
    /// assert!(error.message().ends_with("write leeway, in seconds"));
    /// # Ok::<(), pomerium_jwt::Error>(())
    /// ```
    ///
    /// # Errors
    /// `invalid_options` for text that is not strict JSON, an unknown name, a wrong type or a value out of range.
    pub fn from_json(text: impl AsRef<[u8]>) -> Result<Self, Error> {
        let document = json::parse_bytes(text.as_ref()).map_err(|why| {
            Error::options(format!("the options are not strict JSON: {why}")).caused_by(Arc::new(why))
        })?;
        let Json::Object(members) = &document else {
            return Err(Error::options(format!("the options are {}; write an object", document.kind())));
        };
        let mut options = Self::default();
        for (name, value) in members {
            let spec = find(name).map_err(Error::options)?;
            options.set(spec.name, &spec.kind, value).map_err(|why| Error::options(format!("{name} {why}")))?;
        }
        Ok(options)
    }

    /// The JSON document of these options, without those left out.
    ///
    /// ```
    /// use pomerium_jwt::Options;
    ///
    /// let options = Options::for_route("https://app.example.com").optional(true);
    /// assert_eq!(options.to_json(), r#"{"optional":true,"route":["https://app.example.com"]}"#);
    /// ```
    #[must_use]
    pub fn to_json(&self) -> String {
        let members = self.given().into_iter().map(|(spec, value)| (spec.name.to_owned(), value.write(&spec.kind)));
        Value::from(members.collect::<serde_json::Map<_, _>>()).to_string()
    }
}

impl OptionSpec {
    /// The default as JSON text; `null` if there is none.
    ///
    /// ```
    /// let leeway = pomerium_jwt::OPTIONS.iter().find(|option| option.name == "leeway");
    /// assert_eq!(leeway.map(|option| option.default()), Some("60".to_owned()));
    /// ```
    #[must_use]
    pub fn default(&self) -> String {
        Options::defaults().written(self).unwrap_or(Value::Null).to_string()
    }
}
