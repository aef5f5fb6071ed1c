//! `docs/options.md`: a section for each group of options, a row for each option.

use pomerium_jwt::{OPTIONS, OptionGroup, OptionKind, OptionSpec};

/// The title of each group, and what holds of all its options.
const GROUPS: [(OptionGroup, &str, &str); 7] = [
    (OptionGroup::Names, "Whom a token must be for", "`route` alone is enough for most applications."),
    (OptionGroup::Keys, "Where the keys come from", "At most one of these; none if `route` or `issuer` says it."),
    (OptionGroup::Token, "What else a token must have", ""),
    (OptionGroup::Times, "When a token is valid", ""),
    (OptionGroup::Fetch, "How keys are fetched", "These do nothing with a key source that is not a URL."),
    (OptionGroup::Cache, "How long fetched keys are used", "[Signing keys](keys.md) explains what they mean."),
    (
        OptionGroup::Request,
        "Which requests get in",
        "The request options: `with` makes a verifier with others of these over the same keys.",
    ),
];

/// All groups.
pub(super) fn tables() -> String {
    let tables = GROUPS.iter().map(|(group, title, note)| {
        let rows: String = OPTIONS.iter().filter(|option| option.group == *group).map(row).collect();
        let note = if note.is_empty() { String::new() } else { format!("{note}\n\n") };
        format!("## {title}\n\n{note}| option | default | takes | meaning |\n|---|---|---|---|\n{rows}\n")
    });
    tables.collect()
}

fn row(option: &OptionSpec) -> String {
    let default = match option.default().as_str() {
        "null" => String::new(),
        default => format!("`{}`", default.trim_matches('"')),
    };
    let takes = match &option.kind {
        OptionKind::List => "string or list".to_owned(),
        OptionKind::Text => "string".to_owned(),
        OptionKind::Flag => "boolean".to_owned(),
        OptionKind::Seconds(range) => format!("{} to {} s", range.start(), range.end()),
        OptionKind::Integer(range) => format!("{} to {}", range.start(), range.end()),
        OptionKind::JwkSet | OptionKind::Claims => "object".to_owned(),
        other => panic!("{other:?} is a new kind of option: write here what it is called"),
    };
    let meaning = option.meaning.split_whitespace().collect::<Vec<_>>().join(" ");
    let name = option.name;
    format!("| <a id=\"{name}\"></a>`{name}` | {default} | {takes} | {meaning} |\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_option_is_left_out() {
        let tables = tables();
        for option in OPTIONS {
            assert!(tables.contains(&format!("`{}` |", option.name)), "add the group of {} to GROUPS", option.name);
        }
    }
}
