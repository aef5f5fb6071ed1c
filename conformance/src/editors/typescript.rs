//! The interface of the Node package's options, with a documentation comment each.

use pomerium_jwt::{OPTIONS, OptionGroup, OptionKind, OptionSpec};

/// The widest line that the package's formatter leaves alone.
const WIDTH: usize = 120;

/// `bindings-node/src/option-types.ts`.
pub(crate) fn options() -> Vec<u8> {
    let (request, others): (Vec<_>, Vec<_>) = OPTIONS.iter().partition(|spec| spec.group == OptionGroup::Request);
    let members = |specs: Vec<&OptionSpec>| specs.into_iter().map(member).collect::<String>();
    format!(
        "{HEAD}export interface RequestOptions {{\n{}}}\n\n{BETWEEN}export interface Options extends RequestOptions {{\n{}}}\n",
        members(request),
        members(others)
    )
    .into_bytes()
}

const HEAD: &str = "\
// Written by `make conformance` from the core's table of options: change core/src/options/mod.rs, not this file.

/** A string or a list of strings. */
export type List = string | readonly string[]

/** A JWK Set (RFC 7517). */
export type Jwks = { readonly keys: readonly object[] }

/** Claims to demand: name to value or list of values. */
export type ExpectedClaims = { readonly [name: string]: List }

/** Whole seconds. */
export type Seconds = number

/** Which requests get in: what `Verifier.with` may replace. */
";

const BETWEEN: &str = "/** What Verifier takes. An option that is left out or undefined has its default. */\n";

fn member(spec: &OptionSpec) -> String {
    let (kind, range) = match &spec.kind {
        OptionKind::List => ("List", None),
        OptionKind::Text => ("string", None),
        OptionKind::Flag => ("boolean", None),
        OptionKind::Seconds(range) => ("Seconds", Some(range)),
        OptionKind::Integer(range) => ("number", Some(range)),
        OptionKind::JwkSet => ("Jwks", None),
        OptionKind::Claims => ("ExpectedClaims", None),
        other => panic!("{other:?} is a new kind of option: write here what it is called"),
    };
    let mut text = in_camel_case(&spec.meaning.split_whitespace().collect::<Vec<_>>().join(" "));
    if let Some(range) = range {
        text += &format!(" From {} to {}.", range.start(), range.end());
    }
    let mut comment = wrapped(&text);
    if spec.default() != "null" {
        comment.push(format!("@default {}", spec.default().replace('"', "'")));
    }
    format!("{}  readonly {}?: {kind} | undefined\n", documentation(&comment), camel_case(spec.name))
}

/// A documentation comment of these lines.
fn documentation(lines: &[String]) -> String {
    match lines {
        [line] if line.len() + 9 <= WIDTH => format!("  /** {line} */\n"),
        _ => format!("  /**\n{}   */\n", lines.iter().map(|line| format!("   * {line}\n")).collect::<String>()),
    }
}

fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("a line");
        if line.is_empty() {
            line.push_str(word);
        } else if line.len() + 1 + word.len() + "   * ".len() <= WIDTH {
            *line += &format!(" {word}");
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// The text with the options that it names in backticks as TypeScript names them.
fn in_camel_case(text: &str) -> String {
    OPTIONS.iter().fold(text.to_owned(), |text, spec| {
        text.replace(&format!("`{}`", spec.name), &format!("`{}`", camel_case(spec.name)))
    })
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| name + &word[..1].to_ascii_uppercase() + &word[1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_lines_follow_the_package() {
        assert_eq!(camel_case("expect_claims"), "expectClaims");
        assert_eq!(in_camel_case("as `jwks_url`, not `aud`"), "as `jwksUrl`, not `aud`");
        assert!(wrapped(&"word ".repeat(100)).iter().all(|line| line.len() + 5 <= WIDTH));
    }
}
