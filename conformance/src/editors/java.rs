//! The Java classes `Options` and `RequestOptions`: builders with a method for each option, and its documentation.

use pomerium_jwt::{OPTIONS, OptionGroup, OptionKind, OptionSpec};

const WIDTH: usize = 112;

const FOLDER: &str = "../clients/java/pomerium-jwt/src/main/java/io/github/pomeriumjwt";

const HEAD: &str = "\
// Written by `make conformance` from the core's table of options: change core/src/options/mod.rs, not this file.

package io.github.pomeriumjwt;

";

/// One of the two classes.
struct Class {
    name: &'static str,
    imports: &'static str,
    meaning: &'static str,
}

const OPTIONS_CLASS: Class = Class {
    name: "Options",
    imports: "import java.nio.file.Path;\nimport java.time.Duration;\nimport java.util.List;\nimport java.util.Map;\nimport java.util.Objects;\n",
    meaning: "\
/**
 * What a {@link Verifier} checks. The route alone protects an application. What is not set has its default; durations are
 * whole seconds. {@link Verifier#of} judges the options.
 *
 * <pre>{@code
 * Options options = Options.builder()
 *         .route(\"https://app.example.com\")
 *         .leeway(Duration.ofSeconds(30))
 *         .build();
 * }</pre>
 */
",
};

const REQUEST_CLASS: Class = Class {
    name: "RequestOptions",
    imports: "import java.util.List;\nimport java.util.Objects;\n",
    meaning: "/** The options that {@link Verifier#with} changes. What is not set stays as it is. */\n",
};

/// Each file's name below `conformance/` and its content.
pub(crate) fn files() -> Vec<(String, Vec<u8>)> {
    let request = OPTIONS.iter().filter(|option| option.group == OptionGroup::Request);
    vec![file(&OPTIONS_CLASS, OPTIONS.iter()), file(&REQUEST_CLASS, request)]
}

fn file<'a>(class: &Class, options: impl Iterator<Item = &'a OptionSpec>) -> (String, Vec<u8>) {
    let Class { name, imports, meaning } = class;
    let methods: String = options.map(methods).collect();
    let text = format!(
        "{HEAD}{imports}
{meaning}public final class {name} {{
    private final String json;

    private {name}(String json) {{
        this.json = json;
    }}

    /** Options of which none is set. */
    public static Builder builder() {{
        return new Builder();
    }}

    /** Options as the JSON object that all languages have, with the core's names: {{@code {{\"{example}}}}}. */
    public static {name} fromJson(String json) {{
        return new {name}(Objects.requireNonNull(json, \"json\"));
    }}

    /** These options as a JSON object, with the core's names. It may hold secrets of yours, such as names of groups. */
    public String toJson() {{
        return json;
    }}

    /** Sets options. Null and what JSON cannot say are refused at once, everything else by {{@link Verifier}}. */
    public static final class Builder {{
        private final OptionValues values = new OptionValues();

        private Builder() {{}}
{methods}
        /** The options that have been set until now. */
        public {name} build() {{
            return new {name}(values.toJson());
        }}
    }}
}}
",
        example = if *name == "Options" { "route\":\"https://app.example.com\"" } else { "optional\":true" },
    );
    (format!("{FOLDER}/{name}.java"), text.into_bytes())
}

/// The methods of one option: lists can be given in two ways.
fn methods(option: &OptionSpec) -> String {
    let OptionSpec { name, .. } = option;
    let camel = camel_case(name);
    let arguments: &[(&str, &str)] = match option.kind {
        OptionKind::List => &[("String...", "list(\"{}\", List.of(value))"), ("List<String>", "list(\"{}\", value)")],
        OptionKind::Text if name.ends_with("_file") => &[("Path", "file(\"{}\", value)")],
        OptionKind::Text => &[("String", "text(\"{}\", value)")],
        OptionKind::Flag => &[("boolean", "flag(\"{}\", value)")],
        OptionKind::Seconds(_) => &[("Duration", "seconds(\"{}\", value)")],
        OptionKind::Integer(_) => &[("int", "integer(\"{}\", value)")],
        OptionKind::JwkSet => &[("String", "document(\"{}\", value)")],
        OptionKind::Claims => &[("Map<String, List<String>>", "claims(\"{}\", value)")],
        ref other => panic!("{other:?} is a new kind of option: write here how a builder takes it"),
    };
    let comment = documentation(&format!("{}{}", translated(option.meaning), limits(option)));
    arguments
        .iter()
        .map(|(kind, call)| {
            let call = call.replace("{}", name);
            format!(
                "\n{comment}        public Builder {camel}({kind} value) {{\n            values.{call};\n            return this;\n        }}\n"
            )
        })
        .collect()
}

/// Default and range.
fn limits(option: &OptionSpec) -> String {
    let default = option.default();
    let range = match &option.kind {
        OptionKind::Seconds(range) | OptionKind::Integer(range) => range,
        OptionKind::Text if default != "null" => return format!(" The default is {}.", default.trim_matches('"')),
        _ => return String::new(),
    };
    let unit = if matches!(option.kind, OptionKind::Seconds(_)) { " s" } else { "" };
    let default = if default == "null" { String::new() } else { format!(" The default is {default}{unit}.") };
    format!("{default} Takes {} to {}{unit}.", range.start(), range.end())
}

/// Options as Java names them, code as Javadoc marks it, and no seconds, because Java has durations.
fn translated(meaning: &str) -> String {
    let text = meaning.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = text.replace(", a string or a list.", ".").replace(", or a list of them:", ", or several:");
    let text = text.replace("name -> string or list", "each name with its values");
    let text = text.replace("pause in seconds", "pause");
    let text = OPTIONS.iter().fold(text, |text, option| {
        text.replace(&format!("`{}`", option.name), &format!("`{}`", camel_case(option.name)))
    });
    let text = match text.strip_prefix("Seconds ") {
        Some(rest) => format!("Time {}", rest.replacen("of tolerance", "to tolerate", 1)),
        None => text,
    };
    text.split('`').enumerate().fold(String::new(), |text, (number, part)| match number % 2 {
        0 => text + part,
        _ => format!("{text}{{@code {part}}}"),
    })
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| name + &word[..1].to_ascii_uppercase() + &word[1..])
}

fn documentation(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in words(text) {
        let line = lines.last_mut().expect("never empty");
        if line.is_empty() {
            line.push_str(&word);
        } else if line.chars().count() + 1 + word.chars().count() <= WIDTH {
            line.push(' ');
            line.push_str(&word);
        } else {
            lines.push(word);
        }
    }
    match lines.as_slice() {
        [line] if line.len() + 6 <= WIDTH => format!("        /** {line} */\n"),
        _ => {
            let lines: String = lines.iter().map(|line| format!("         * {line}\n")).collect();
            format!("        /**\n{lines}         */\n")
        }
    }
}

/// The words of a text; what Javadoc marks as code stays on one line.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match words.last_mut() {
            Some(last) if last.matches('{').count() > last.matches('}').count() => {
                last.push(' ');
                last.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_code_follow_java() {
        assert_eq!(camel_case("expect_claims"), "expectClaims");
        assert_eq!(
            translated("Seconds of tolerance on `a b`, as `jwks_url`"),
            "Time to tolerate on {@code a b}, as {@code jwksUrl}"
        );
        assert_eq!(words("as {@code a b}, c"), ["as", "{@code a b},", "c"]);
    }
}
