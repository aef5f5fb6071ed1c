//! Options from environment variables.

use std::ffi::OsString;

use super::{
    name::advice,
    spec::{OptionSpec, PREFIX},
    table::{OPTIONS, Options},
};
use crate::{error::Error, wording::quoted};

impl Options {
    /// Reads the environment variables `POMERIUM_JWT_<OPTION>`, such as `POMERIUM_JWT_ROUTE`. Lists are separated by
    /// commas, or JSON if they begin with `[`; objects are JSON; booleans are true, false, 1 or 0; an empty variable
    /// counts as unset. `POMERIUM_JWT_LIBRARY` and the names that Kubernetes injects for a service are not options.
    ///
    /// ```
    /// use pomerium_jwt::{Error, Options, Verifier};
    ///
    /// fn verifier() -> Result<Verifier, Error> {
    ///     Verifier::new(Options::from_env()?.require_group(["staff"]))
    /// }
    /// ```
    ///
    /// # Errors
    /// `invalid_options`, naming the variable, also for any other variable with this prefix: if a misspelt one were
    /// ignored, its check would be dropped in silence.
    pub fn from_env() -> Result<Self, Error> {
        Self::from_variables(std::env::vars_os())
    }

    /// As [`from_env`](Self::from_env), from these variables.
    ///
    /// ```
    /// use pomerium_jwt::Options;
    ///
    /// let options = Options::from_variables([("POMERIUM_JWT_ROUTE".into(), "https://app.example.com".into())])?;
    /// assert_eq!(options, Options::for_route("https://app.example.com"));
    /// # Ok::<(), pomerium_jwt::Error>(())
    /// ```
    ///
    /// # Errors
    /// `invalid_options`, naming the variable.
    pub fn from_variables(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Self, Error> {
        let mut options = Self::default();
        for (variable, value) in variables {
            let variable = variable.to_string_lossy();
            let Some(name) = without_prefix(&variable) else { continue };
            if is_spared(&variable, name) {
                continue;
            }
            let Some(spec) = OPTIONS.iter().find(|spec| spec.variable() == variable) else {
                let advice = advice(name, OptionSpec::variable);
                return Err(Error::options(format!(
                    "the environment variable {} is unknown: {advice}",
                    quoted(&variable)
                )));
            };
            if value.is_empty() {
                continue;
            }
            let refuse = |why: String| Error::options(format!("{variable}: {why}"));
            let text = value.to_str().ok_or_else(|| refuse("is not UTF-8".to_owned()))?;
            spec.kind.parse_text(text).and_then(|value| options.set(spec.name, &spec.kind, &value)).map_err(refuse)?;
        }
        Ok(options)
    }
}

/// What follows the prefix, in any case.
fn without_prefix(variable: &str) -> Option<&str> {
    let (prefix, name) = variable.split_at_checked(PREFIX.len())?;
    prefix.eq_ignore_ascii_case(PREFIX).then_some(name)
}

/// The variable that says where the shared library is, and those that Kubernetes injects into every container for a
/// service called `pomerium-jwt` or `pomerium-jwt-*`.
fn is_spared(variable: &str, name: &str) -> bool {
    variable == "POMERIUM_JWT_LIBRARY" || (variable.starts_with(PREFIX) && is_service(&format!("_{name}")))
}

/// `_SERVICE_HOST`, `_SERVICE_PORT`, `_SERVICE_PORT_<NAME>`, `_PORT`, and `_PORT_<n>_<TCP|UDP|SCTP>` with or without
/// `_PROTO`, `_PORT` or `_ADDR`, each after any name.
fn is_service(name: &str) -> bool {
    if name.ends_with("_SERVICE_HOST") || name.ends_with("_PORT") {
        return true; // _SERVICE_PORT ends in _PORT
    }
    if name.split_once("_SERVICE_PORT_").is_some_and(|(_, port)| !port.is_empty()) {
        return true;
    }
    let name = ["_PROTO", "_ADDR"].into_iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
    let Some(rest) = ["_TCP", "_UDP", "_SCTP"].into_iter().find_map(|end| name.strip_suffix(end)) else { return false };
    let Some((_, number)) = rest.rsplit_once("_PORT_") else { return false };
    !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Options, Error> {
        Options::from_variables(variables.iter().map(|(name, value)| (name.into(), value.into())))
    }

    #[test]
    fn every_other_variable_with_the_prefix_is_refused_without_its_value() {
        let table = [
            ("POMERIUM_JWT_EXPECTED_CLAIMS", "POMERIUM_JWT_EXPECT_CLAIMS"),
            ("POMERIUM_JWT_EXPECT_CLAIM", "POMERIUM_JWT_EXPECT_CLAIMS"),
            ("POMERIUM_JWT_PIN_KID", "POMERIUM_JWT_PIN_KIDS"),
            ("POMERIUM_JWT_MAX_AGE", "see the list of options"),
            ("POMERIUM_JWT_TOKEN_AGE", "POMERIUM_JWT_MAX_TOKEN_AGE"),
            ("POMERIUM_JWT_REQUIRED_GROUP", "POMERIUM_JWT_REQUIRE_GROUP"),
            ("POMERIUM_JWT_REQUIRE_GROUPS", "POMERIUM_JWT_REQUIRE_GROUP"),
            ("POMERIUM_JWT_JWKS_SET_URL", "POMERIUM_JWT_JWKS_URL"),
            ("POMERIUM_JWT_JWK_SET_URL", "jwks_url"),
            ("pomerium_jwt_route", "POMERIUM_JWT_ROUTE"),
            ("Pomerium_Jwt_Route", "POMERIUM_JWT_ROUTE"),
            ("POMERIUM_JWT_Route", "POMERIUM_JWT_ROUTE"),
            ("POMERIUM_JWT_", "see the list of options"),
            ("POMERIUM_JWT_SERVICE_HOSTS", "see the list of options"),
            ("POMERIUM_JWT_SERVICE_PORT_", "see the list of options"),
            ("POMERIUM_JWT_PORT_80_QUIC", "see the list of options"),
            ("POMERIUM_JWT_PORT_HTTP_TCP", "see the list of options"),
            ("pomerium_jwt_service_host", "see the list of options"),
            ("pomerium_jwt_library", "see the list of options"),
        ];
        for (variable, advice) in table {
            for value in ["s3cret", ""] {
                let error = read(&[("POMERIUM_JWT_ROUTE", "https://app.example.com"), (variable, value)]);
                let message = error.expect_err(variable).message().to_owned();
                assert!(message.contains(variable) && message.contains(advice), "{variable}: {message}");
                assert!(!message.contains("s3cret"), "{variable}: {message}");
            }
        }
    }

    #[test]
    fn names_that_are_not_ours_are_spared() {
        for variable in [
            "POMERIUM_JWT_LIBRARY",
            "POMERIUM_JWT_SERVICE_HOST",
            "POMERIUM_JWT_SERVICE_PORT",
            "POMERIUM_JWT_SERVICE_PORT_HTTP",
            "POMERIUM_JWT_PORT",
            "POMERIUM_JWT_PORT_8000_TCP",
            "POMERIUM_JWT_PORT_8000_TCP_PROTO",
            "POMERIUM_JWT_PORT_8000_TCP_PORT",
            "POMERIUM_JWT_PORT_8000_TCP_ADDR",
            "POMERIUM_JWT_PORT_53_UDP",
            "POMERIUM_JWT_PORT_9_SCTP_ADDR",
            "POMERIUM_JWT_SERVE_SERVICE_HOST",
            "POMERIUM_JWT_SERVE_SERVICE_PORT_HTTP_METRICS",
            "POMERIUM_JWT_SERVE_PORT_8000_TCP_ADDR",
            "POMERIUM_JWTS_ROUTE",
            "POMERIUM_JWT",
            "MY_POMERIUM_JWT_ROUTE",
        ] {
            assert_eq!(read(&[(variable, "x")]), Ok(Options::default()), "{variable}");
        }
    }

    #[test]
    fn a_flag_is_true_or_false_in_any_case_or_a_digit() {
        let flag = |text| read(&[("POMERIUM_JWT_ALLOW_HTTP", text)]).map(|options| options.allow_http);
        for (text, value) in
            [("true", true), ("TRUE", true), ("1", true), ("false", false), ("False", false), ("0", false)]
        {
            assert_eq!(flag(text), Ok(Some(value)), "{text}");
        }
        for text in ["yes", "on", " true", "2", "truefalse"] {
            assert!(flag(text).expect_err(text).message().contains("true, false, 1 or 0"), "{text}");
        }
    }

    #[test]
    fn a_list_that_begins_with_a_bracket_is_json() {
        let groups = |text| read(&[("POMERIUM_JWT_REQUIRE_GROUP", text)]).map(|options| options.require_group);
        assert_eq!(groups("a, b"), Ok(Some(vec!["a".to_owned(), "b".to_owned()])));
        assert_eq!(groups(r#"["CN=a,DC=b","c"]"#), Ok(Some(vec!["CN=a,DC=b".to_owned(), "c".to_owned()])));
        for text in ["[", "[1]", r#"["a""#, "[]"] {
            let message = groups(text).expect_err(text).message().to_owned();
            assert!(message.starts_with("POMERIUM_JWT_REQUIRE_GROUP: takes"), "{text}: {message}");
        }
    }

    #[test]
    fn code_is_laid_over_the_environment_option_by_option() {
        let overlay = |code: &str, variables: &[(&str, &str)]| {
            let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
            let overlay = Options::from_json(code).expect(code).over_variables(variables).expect("variables");
            (overlay.options.to_json(), overlay.overridden.join(" "))
        };
        let env = [("POMERIUM_JWT_ROUTE", "https://env.example"), ("POMERIUM_JWT_REQUIRE_GROUP", "admins")];
        let file = [("POMERIUM_JWT_JWKS_FILE", "f"), ("POMERIUM_JWT_LEEWAY", "5")];
        type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str, &'a str);
        let initial =
            [("POMERIUM_JWT_JWKS_URL", "https://env.example/k"), ("POMERIUM_JWT_JWKS_INITIAL", r#"{"keys":[]}"#)];
        let table: [Row<'_>; 10] = [
            ("{}", &env, r#"{"require_group":["admins"],"route":["https://env.example"]}"#, ""),
            (
                r#"{"route":"https://code.example"}"#,
                &env,
                r#"{"require_group":["admins"],"route":["https://code.example"]}"#,
                "POMERIUM_JWT_ROUTE",
            ),
            (
                r#"{"require_group":"staff"}"#,
                &env,
                r#"{"require_group":["staff"],"route":["https://env.example"]}"#,
                "POMERIUM_JWT_REQUIRE_GROUP",
            ),
            // the same value overrides nothing
            (r#"{"require_group":"admins"}"#, &env[1..], r#"{"require_group":["admins"]}"#, ""),
            (r#"{"public_key":"k"}"#, &file, r#"{"leeway":5,"public_key":"k"}"#, "POMERIUM_JWT_JWKS_FILE"),
            // a set to start with is trusted as its source is, and goes with it
            (
                r#"{"jwks_url":"https://code.example/k"}"#,
                &initial,
                r#"{"jwks_url":"https://code.example/k"}"#,
                "POMERIUM_JWT_JWKS_URL POMERIUM_JWT_JWKS_INITIAL",
            ),
            (r#"{"jwks_file":"f"}"#, &initial[1..], r#"{"jwks_file":"f"}"#, "POMERIUM_JWT_JWKS_INITIAL"),
            (
                r#"{"leeway":0}"#,
                &initial,
                r#"{"jwks_initial":{"keys":[]},"jwks_url":"https://env.example/k","leeway":0}"#,
                "",
            ),
            (r#"{"leeway":0}"#, &file, r#"{"jwks_file":"f","leeway":0}"#, "POMERIUM_JWT_LEEWAY"),
            // two in code stay two: the verifier refuses them
            (r#"{"jwks_file":"g","public_key":"k"}"#, &[], r#"{"jwks_file":"g","public_key":"k"}"#, ""),
        ];
        for (code, variables, expected, overridden) in table {
            assert_eq!(overlay(code, variables), (expected.to_owned(), overridden.to_owned()), "{code}");
        }
    }
}
