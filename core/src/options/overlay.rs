//! Which options win: those in code are laid over those of the environment.

use std::ffi::OsString;

use super::{
    spec::{OptionGroup, OptionSpec},
    table::{OPTIONS, Options},
};
use crate::error::Error;

/// Options laid over the environment's.
///
/// ```
/// # use pomerium_jwt::{Error, Options, Verifier};
/// fn start() -> Result<Verifier, Error> {
///     let overlay = Options::default().require_group(["staff"]).over_env()?;
///     if let Some(warning) = overlay.warning() {
///         eprintln!("{warning}");
///     }
///     Verifier::new(overlay.options)
/// }
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
pub struct Overlay {
    /// The options to make a verifier from.
    pub options: Options,
    /// The variables that code has overridden with something else, in the order of the documentation: an integration
    /// names them in a warning at start, and never shows their values.
    pub overridden: Vec<String>,
}

impl Overlay {
    /// The warning, if a variable was overridden.
    ///
    /// ```
    /// use pomerium_jwt::Options;
    ///
    /// let variables = [("POMERIUM_JWT_LEEWAY".into(), "5".into())];
    /// let overlay = Options::default().leeway(std::time::Duration::ZERO).over_variables(variables)?;
    /// assert_eq!(overlay.warning().as_deref(), Some("options in code override the environment: POMERIUM_JWT_LEEWAY"));
    /// # Ok::<(), pomerium_jwt::Error>(())
    /// ```
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        if self.overridden.is_empty() {
            return None;
        }
        Some(format!("options in code override the environment: {}", self.overridden.join(", ")))
    }
}

impl Options {
    /// These options, given in code, laid over the environment's: code wins, option by option, so that operations can
    /// add a demand without a change of code.
    ///
    /// ```
    /// use pomerium_jwt::{Error, Options, Verifier};
    ///
    /// fn verifier() -> Result<Verifier, Error> {
    ///     Verifier::new(Options::for_route("https://app.example.com").over_env()?.options)
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`from_env`](Self::from_env).
    pub fn over_env(self) -> Result<Overlay, Error> {
        self.over_variables(std::env::vars_os())
    }

    /// As [`over_env`](Self::over_env), with these variables.
    ///
    /// ```
    /// use pomerium_jwt::Options;
    ///
    /// let variables = [("POMERIUM_JWT_REQUIRE_GROUP".into(), "staff".into())];
    /// let overlay = Options::for_route("https://app.example.com").over_variables(variables)?;
    /// assert_eq!(overlay.options, Options::for_route("https://app.example.com").require_group(["staff"]));
    /// # Ok::<(), pomerium_jwt::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`from_env`](Self::from_env).
    pub fn over_variables(self, variables: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Overlay, Error> {
        let (options, replaced) = self.over(Self::from_variables(variables)?);
        let overridden = OPTIONS.iter().filter(|spec| replaced.contains(&spec.name)).map(OptionSpec::variable);
        Ok(Overlay { options, overridden: overridden.collect() })
    }

    /// These options laid over `base`, option by option: what is set here replaces what `base` has, and a key source
    /// set here replaces the one of `base`, whichever it is, with its `jwks_initial`. Gives the result and the names of
    /// the options whose value was replaced by another one.
    ///
    /// ```
    /// use pomerium_jwt::Options;
    ///
    /// let base = Options::for_route("https://app.example.com").require_group(["staff"]);
    /// let (options, replaced) = Options::default().require_group(["admins"]).over(base);
    /// assert_eq!(options, Options::for_route("https://app.example.com").require_group(["admins"]));
    /// assert_eq!(replaced, ["require_group"]);
    /// ```
    #[must_use]
    pub fn over(mut self, mut base: Self) -> (Self, Vec<&'static str>) {
        let brings_keys = self.given().iter().any(|(spec, _)| spec.group == OptionGroup::Keys);
        let is_of_source = |spec: &OptionSpec| spec.group == OptionGroup::Keys || spec.name == "jwks_initial";
        let mut replaced = Vec::new();
        for spec in OPTIONS {
            let (own, old) = (self.written(spec), base.written(spec));
            if own.is_none() && !(brings_keys && is_of_source(spec)) {
                continue;
            }
            if old.is_some() && old != own {
                replaced.push(spec.name);
            }
            base.take(spec.name, &mut self);
        }
        (base, replaced)
    }
}
