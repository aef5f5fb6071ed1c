//! The PHP package's printed classes: the options with their documentation, the codes and the kinds.

use pomerium_jwt::{ErrorCode, ErrorKind, OPTIONS, OptionKind, OptionSpec};

const WIDTH: usize = 120;

/// Each file's name below `conformance/` and its content.
pub(crate) fn files() -> Vec<(String, Vec<u8>)> {
    let file = |name: &str, text: String| (format!("../clients/php/src/{name}.php"), text.into_bytes());
    vec![file("Options", options()), file("Code", codes()), file("Kind", kinds())]
}

const HEAD: &str = "<?php

// Written by `make conformance` from the core: change core/src, not this file.

declare(strict_types=1);

namespace PomeriumJwt;
";

const OPTIONS_HEAD: &str = "
/**
 * What a verifier checks, as named arguments. `route` alone protects an application; what is left out has its default:
 *
 *     new Options(route: 'https://app.example.com', leeway: 30)
 *
 * Durations are whole seconds, or a DateInterval of days, hours, minutes and seconds.
 */
final class Options
{
";

const TO_ARRAY: &str = "
    /**
     * The options that are set, under the names that they have in every language.
     *
     * @return array<string, mixed>
     */
    public function toArray(): array
    {
        $set = [];
        foreach (self::NAMES as $property => $name) {
            if ($this->$property !== null) {
                $set[$name] = $this->$property;
            }
        }
        return $set;
    }
}
";

fn options() -> String {
    let parameters: String = OPTIONS.iter().map(parameter).collect();
    let names: String =
        OPTIONS.iter().map(|spec| format!("        '{}' => '{}',\n", camel_case(spec.name), spec.name)).collect();
    format!(
        "{HEAD}\nuse DateInterval;\n{OPTIONS_HEAD}    private const NAMES = [\n{names}    ];\n\n    \
         public function __construct(\n{parameters}    ) {{\n    }}\n{TO_ARRAY}"
    )
}

fn parameter(spec: &OptionSpec) -> String {
    let kind = match &spec.kind {
        OptionKind::List => "string|array|null",
        OptionKind::Text => "?string",
        OptionKind::Flag => "?bool",
        OptionKind::Seconds(_) => "int|DateInterval|null",
        OptionKind::Integer(_) => "?int",
        OptionKind::JwkSet | OptionKind::Claims => "array|object|null",
        other => panic!("{other:?} is a new kind of option: write here what it is called"),
    };
    let text = OPTIONS.iter().fold(spec.meaning.split_whitespace().collect::<Vec<_>>().join(" "), |text, other| {
        text.replace(&format!("`{}`", other.name), &format!("`{}`", camel_case(other.name)))
    });
    let text = format!("{text}{}", limits(spec));
    format!("{}        public readonly {kind} ${} = null,\n", documentation(&text, 8), camel_case(spec.name))
}

fn limits(spec: &OptionSpec) -> String {
    let range = match &spec.kind {
        OptionKind::Seconds(range) | OptionKind::Integer(range) => {
            format!(" Takes {} to {}.", range.start(), range.end())
        }
        _ => String::new(),
    };
    match spec.default().as_str() {
        "null" => range,
        default => format!("{range} Default: {}.", default.replace('"', "'")),
    }
}

/// A documentation comment, in one line if it fits.
fn documentation(text: &str, indent: usize) -> String {
    let margin = " ".repeat(indent);
    if indent + text.chars().count() + "/**  */".len() <= WIDTH {
        return format!("{margin}/** {text} */\n");
    }
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("a line");
        if line.is_empty() {
            *line = word.to_owned();
        } else if indent + " * ".len() + line.chars().count() + 1 + word.chars().count() <= WIDTH {
            *line += &format!(" {word}");
        } else {
            lines.push(word.to_owned());
        }
    }
    let lines: String = lines.iter().map(|line| format!("{margin} * {line}\n")).collect();
    format!("{margin}/**\n{lines}{margin} */\n")
}

fn codes() -> String {
    let cases: String = ErrorCode::ALL
        .iter()
        .map(|code| {
            format!("{}    case {} = '{code}';\n", documentation(code.meaning(), 4), pascal_case(&code.to_string()))
        })
        .collect();
    let arms = |value: fn(ErrorCode) -> String| -> String {
        let arm =
            |code: &ErrorCode| format!("            self::{} => {},\n", pascal_case(&code.to_string()), value(*code));
        ErrorCode::ALL.iter().map(arm).collect()
    };
    format!(
        "{HEAD}\n/**\n * Why a token or a request is refused: the same names and numbers in every language.\n */\n\
         enum Code: string\n{{\n{cases}\n    /** The stable number. */\n    public function number(): int\n    {{\n        \
         return match ($this) {{\n{}        }};\n    }}\n\n    /** What the code is about; it decides the HTTP status. */\n    \
         public function kind(): Kind\n    {{\n        return match ($this) {{\n{}        }};\n    }}\n}}\n",
        arms(|code| code.number().to_string()),
        arms(|code| format!("Kind::{}", pascal_case(code.kind().name()))),
    )
}

fn kinds() -> String {
    let all = [
        (ErrorKind::Options, "The application's configuration or call is wrong."),
        (ErrorKind::Token, "The token is refused."),
        (ErrorKind::Keys, "There are no keys to judge the token with; try again later."),
        (ErrorKind::Access, "The user is known and may not do this."),
        (ErrorKind::Internal, "A fault of the library or of the machine."),
    ];
    let cases: String = all
        .iter()
        .map(|(kind, meaning)| {
            format!("    /** {meaning} */\n    case {} = '{}';\n", pascal_case(kind.name()), kind.name())
        })
        .collect();
    let arms: String = all
        .iter()
        .map(|(kind, _)| format!("            self::{} => {},\n", pascal_case(kind.name()), kind.status()))
        .collect();
    format!(
        "{HEAD}\n/**\n * What a code is about.\n */\nenum Kind: string\n{{\n{cases}\n    /** The HTTP status to answer with. */\n    \
         public function status(): int\n    {{\n        return match ($this) {{\n{arms}        }};\n    }}\n}}\n"
    )
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| name + &capital(word))
}

fn pascal_case(name: &str) -> String {
    name.split('_').map(capital).collect()
}

fn capital(word: &str) -> String {
    word[..1].to_ascii_uppercase() + &word[1..]
}
