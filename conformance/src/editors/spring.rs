//! The options as Spring Boot takes them: the record that it binds to `pomerium.jwt.*`, and the metadata that editors read.

use pomerium_jwt::{OPTIONS, OptionKind, OptionSpec};
use serde_json::{Value, json};

use super::java::{HEAD, camel_case, limits, plain};

const FOLDER: &str = "../clients/java/spring-boot/src/main";

/// What is not the core's: the settings of the integration.
const AUTHORITY_PREFIX: &str =
    "Prefix of the authorities that groups become. With the default, hasRole(\"admins\") asks for the group admins.";

/// Each file's name below `conformance/` and its content.
pub(crate) fn files() -> Vec<(String, Vec<u8>)> {
    vec![
        (format!("{FOLDER}/java/io/github/pomeriumjwt/spring/boot/PomeriumJwtProperties.java"), record().into_bytes()),
        (format!("{FOLDER}/resources/META-INF/spring-configuration-metadata.json"), metadata().into_bytes()),
    ]
}

fn record() -> String {
    let components: Vec<String> = OPTIONS.iter().map(component).collect();
    let setters: String = OPTIONS.iter().map(setter).collect();
    format!(
        "{head}package io.github.pomeriumjwt.spring.boot;

import io.github.pomeriumjwt.Options;
import java.nio.file.Path;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.convert.DurationUnit;

/** The options as Spring Boot binds them: {{@code pomerium.jwt.*}}. Empty counts as not set, as in the environment. */
record PomeriumJwtProperties(
{components}) {{

    /** As options of the verifier. */
    Options toOptions() {{
        Options.Builder options = Options.builder();
{setters}        return options.build();
    }}

    private static <T> void set(@Nullable T value, Consumer<T> setter) {{
        boolean empty = value instanceof String text && text.isEmpty() || value instanceof Collection<?> list && list.isEmpty();
        if (value != null && !empty) {{
            setter.accept(value);
        }}
    }}
}}
",
        head = HEAD.lines().next().map(|line| format!("{line}\n\n")).unwrap_or_default(),
        components = components.join(",\n"),
    )
}

fn component(option: &OptionSpec) -> String {
    let kind = match option.kind {
        OptionKind::List => "@Nullable List<String>",
        OptionKind::Text | OptionKind::JwkSet => "@Nullable String",
        OptionKind::Flag => "@Nullable Boolean",
        OptionKind::Seconds(_) => "@DurationUnit(ChronoUnit.SECONDS) @Nullable Duration",
        OptionKind::Integer(_) => "@Nullable Integer",
        OptionKind::Claims => "@Nullable Map<String, List<String>>",
        ref other => panic!("{other:?} is a new kind of option: write here which type binds it"),
    };
    format!("        {kind} {}", camel_case(option.name))
}

fn setter(option: &OptionSpec) -> String {
    let name = camel_case(option.name);
    if is_file(option) {
        return format!("        set({name}, file -> options.{name}(Path.of(file)));\n");
    }
    format!("        set({name}, options::{name});\n")
}

fn is_file(option: &OptionSpec) -> bool {
    matches!(option.kind, OptionKind::Text) && option.name.ends_with("_file")
}

fn metadata() -> String {
    let mut properties: Vec<Value> = OPTIONS.iter().map(property).collect();
    properties.push(json!({
        "name": "pomerium.security.authority-prefix", "type": "java.lang.String",
        "description": AUTHORITY_PREFIX, "defaultValue": "ROLE_",
    }));
    let text = serde_json::to_string_pretty(&json!({ "properties": properties })).expect("it is JSON already");
    format!("{text}\n")
}

fn property(option: &OptionSpec) -> Value {
    let kind = match option.kind {
        OptionKind::List => "java.util.List<java.lang.String>",
        OptionKind::Text | OptionKind::JwkSet => "java.lang.String",
        OptionKind::Flag => "java.lang.Boolean",
        OptionKind::Seconds(_) => "java.time.Duration",
        OptionKind::Integer(_) => "java.lang.Integer",
        OptionKind::Claims => "java.util.Map<java.lang.String,java.util.List<java.lang.String>>",
        ref other => panic!("{other:?} is a new kind of option: write here which type binds it"),
    };
    let meaning = OPTIONS.iter().fold(plain(option.meaning), |text, other| {
        text.replace(&format!("`{}`", other.name), &format!("`{}`", kebab_case(other.name)))
    });
    let mut property = json!({
        "name": format!("pomerium.jwt.{}", kebab_case(option.name)), "type": kind,
        "description": format!("{}{}", meaning, limits(option)).replace('`', ""),
    });
    let default: Value = serde_json::from_str(&option.default()).unwrap_or(Value::Null);
    match (&option.kind, default) {
        (_, Value::Null) => {}
        (OptionKind::Seconds(_), default) => property["defaultValue"] = json!(format!("{default}s")),
        (_, default) => property["defaultValue"] = default,
    }
    property
}

fn kebab_case(name: &str) -> String {
    name.replace('_', "-")
}
