//! Every option: its type, its range, what it does not go with, and names known from elsewhere.

use serde_json::{Value, json};

use crate::{
    case::{Case, case},
    fixtures::{CERTIFICATE, EXP, HOST, KEY, OTHER, RSA_CERTIFICATE, jwk, jwk_with, key_set},
};

pub(crate) fn cases() -> Vec<Case> {
    [ranges(), types(), unknown(), required(), sources(), fetching(), initial(), first_use(), algorithms(), pins()]
        .concat()
}

/// Whole numbers: option, smallest, largest.
fn ranges() -> Vec<Case> {
    let table: [(&str, i64, i64); 7] = [
        ("leeway", 0, 3600),
        ("max_token_age", 1, 2_147_483_648),
        ("max_token_bytes", 1024, 1_048_576),
        ("timeout", 1, 60),
        ("cache_ttl", 1, 86_400),
        ("max_stale", 0, 604_800),
        ("refetch_cooldown", 1, 3600),
    ];
    let mut cases = Vec::new();
    for (option, smallest, largest) in table {
        let with = |id: &str, note: &str, value: Value| {
            let id = format!("option-{}-{id}", option.replace('_', "-"));
            case(id, format!("{option}: {note}")).option(option, value)
        };
        cases.extend([
            with("below", "below its range", json!(smallest - 1)).invalid(option),
            with("smallest", "the smallest value", json!(smallest)).accepted(),
            with("second", "the one above it", json!(smallest + 1)).accepted(),
            with("next-to-last", "the one below the largest", json!(largest - 1)).accepted(),
            with("largest", "the largest value", json!(largest)).accepted(),
            with("above", "above its range", json!(largest + 1)).invalid(option),
            with("far-above", "more than 64 bits hold", json!(1e20)).invalid(option),
            with("negative", "below zero", json!(-60)).invalid(option),
            with("fraction", "no whole number", json!(smallest as f64 + 0.5)).invalid(option),
            with("string", "a number in quotes", json!(smallest.to_string())).invalid(option),
            with("duration", "a number with a unit", json!("60s")).invalid(option),
            with("boolean", "no number", json!(true)).invalid(option),
            with("list", "a list", json!([smallest])).invalid(option),
        ]);
    }
    cases.push(
        case("option-whole-fraction", "60.0 is how some languages write 60")
            .option("leeway", json!(60.0))
            .at(EXP + 59)
            .accepted(),
    );
    cases
}

/// Wrong types, and null, which is not a value: an option is left out instead.
fn types() -> Vec<Case> {
    let lists = ["route", "issuer", "audience", "algorithms", "pin_kids"];
    let texts = ["jwks_url", "jwks_file", "public_key", "public_key_file", "ca_file", "ca_pem", "connect_to"];
    let flags = ["trust_on_first_use", "allow_anonymous", "allow_http"];
    let sets = ["jwks", "jwks_initial"];
    let numbers =
        ["leeway", "max_token_age", "max_token_bytes", "timeout", "cache_ttl", "max_stale", "refetch_cooldown"];
    let wrong = |option: &str, id: &str, value: Value| {
        let id = format!("option-{}-{id}", option.replace('_', "-"));
        case(id, format!("{option} is of the wrong type")).option(option, value).invalid(option)
    };
    let all = [&lists[..], &texts, &flags, &sets, &numbers, &["expect_claims"]].concat();
    let mut cases: Vec<Case> = all
        .into_iter()
        .map(|option| {
            let id = format!("option-{}-null", option.replace('_', "-"));
            case(id, format!("{option} is null")).option(option, json!(null)).invalid("leave the option out")
        })
        .collect();
    for option in lists {
        cases.extend([
            wrong(option, "number", json!(1)),
            wrong(option, "object", json!({"x": true})),
            wrong(option, "list-with-number", json!(["x", 1])),
        ]);
    }
    for option in texts {
        cases.extend([wrong(option, "number", json!(1)), wrong(option, "list", json!(["x"]))]);
    }
    for option in flags {
        cases.extend([wrong(option, "string", json!("true")), wrong(option, "number", json!(1))]);
    }
    for option in sets {
        cases.extend([wrong(option, "string", json!(key_set(&[&KEY]).to_string())), wrong(option, "list", json!([]))]);
    }
    cases
}

/// A name that is not an option's is refused; one known from elsewhere gets a hint.
fn unknown() -> Vec<Case> {
    let table: [(&str, Value, &str); 26] = [
        ("jwk_set_url", json!("https://app.example.com/jwks.json"), "write jwks_url"),
        ("jwkSetUrl", json!("https://app.example.com/jwks.json"), "write jwks_url"),
        ("jwks_uri", json!("https://app.example.com/jwks.json"), "write jwks_url"),
        ("jwksUri", json!("https://app.example.com/jwks.json"), "write jwks_url"),
        ("JWKS_ENDPOINT", json!("https://app.example.com/jwks.json"), "write jwks_url"),
        ("audiences", json!([HOST]), "write audience"),
        ("aud", json!(HOST), "write audience"),
        ("tls_client_ca", json!("ca.pem"), "write ca_file"),
        ("EXTRA_CA_CERTS", json!("ca.pem"), "write ca_file"),
        ("insecureSkipVerify", json!(true), "ca_file"),
        ("insecure_skip_verify", json!(false), "ca_file"),
        ("expirationBuffer", json!(60), "write leeway"),
        ("expiration_buffer", json!(60), "write leeway"),
        ("clock_skew", json!(60), "write leeway"),
        ("clockSkew", json!(60), "write leeway"),
        ("required_claims", json!({"email": "alice@example.com"}), "write expect_claims"),
        ("jwksUrl", json!("https://app.example.com/jwks.json"), "write jwks_url"),
        ("maxTokenAge", json!(60), "write max_token_age"),
        ("Issuer", json!(HOST), "write issuer"),
        ("max-stale", json!(60), "write max_stale"),
        ("leway", json!(60), "unknown"),
        ("issuer ", json!(HOST), "unknown"),
        ("verify", json!(false), "unknown"),
        ("", json!(1), "unknown"),
        ("jwks.keys", json!([]), "unknown"),
        ("a\nb", json!(1), "a\\nb"),
    ];
    let mut cases = Vec::new();
    for (number, (name, value, part)) in table.into_iter().enumerate() {
        let draft = case(format!("option-unknown-{:02}", number + 1), "a name that is not an option's");
        cases.push(draft.option(name, value).invalid(part));
    }
    let nested = case("option-unknown-nested", "names inside of an option are its own: no hint")
        .option("expect_claims", json!({"aud": HOST, "clock_skew": "x"}));
    cases.push(nested.claim("clock_skew", "x").accepted());
    cases
}

/// What must be there.
fn required() -> Vec<Case> {
    let with = |id: &str, note: &str, options: Value| case(format!("required-{id}"), note).options(options);
    let keys = || key_set(&[&KEY]);
    vec![
        with("nothing", "no option at all", json!({})).invalid("audience is missing"),
        with(
            "audience",
            "without it a token for one application opens another",
            json!({"issuer": HOST, "jwks": keys()}),
        )
        .invalid("One key signs every route"),
        with("issuer", "an audience alone", json!({"audience": HOST, "jwks": keys()})).invalid("issuer is missing"),
        with("keys-only", "a key source alone", json!({"jwks": keys()})).invalid("route"),
        with("route-and-keys", "a route is both", json!({"route": "https://app.example.com", "jwks": keys()}))
            .accepted(),
        with(
            "route-and-issuer",
            "an explicit issuer leaves the route's audience",
            json!({"route": "https://app.example.com", "issuer": "idp.example.com", "jwks": keys()}),
        )
        .claim("iss", "idp.example.com")
        .accepted_as(json!({"issuer": "idp.example.com"})),
        with(
            "route-and-audience",
            "an explicit audience leaves the route's issuer",
            json!({"route": "https://app.example.com", "audience": "api", "jwks": keys()}),
        )
        .claim("aud", "api")
        .accepted_as(json!({"audience": ["api"]})),
        with("list-of-one", "a list of one is a string", json!({"issuer": [HOST], "audience": [HOST], "jwks": keys()}))
            .accepted(),
    ]
}

/// One key source at most.
fn sources() -> Vec<Case> {
    let all = [
        ("jwks_url", json!("https://app.example.com/.well-known/pomerium/jwks.json")),
        ("jwks", key_set(&[&KEY])),
        ("jwks_file", json!("files/jwks.json")),
        ("public_key", json!(KEY.public_key_pem())),
        ("public_key_file", json!("files/public-key.pem")),
    ];
    let mut cases = Vec::new();
    for (at, (first, value)) in all.iter().enumerate() {
        for (second, other) in &all[at + 1..] {
            let id = format!("source-{first}-and-{second}").replace('_', "-");
            let draft = case(id, "two key sources: which one?").without_option("jwks");
            cases.push(draft.option(first, value.clone()).option(second, other.clone()).invalid("key sources"));
        }
    }
    cases
}

/// Options of the fetch: addresses, and what goes with a fetched source only.
fn fetching() -> Vec<Case> {
    let url = "https://app.example.com/jwks.json";
    let fetched = |id: &str, note: &str| case(format!("fetch-{id}"), note).source("jwks_url", url);
    let address = |id: &str, address: &str| {
        case(format!("fetch-url-{id}"), "an address of a key set").source("jwks_url", address)
    };
    let good = |id: &str, text: &str| address(id, text).refused_saying("keys_unavailable", text);
    let bad = |id: &str, text: &str| address(id, text).invalid("jwks_url");
    let dial =
        |id: &str, target: &str| fetched(&format!("connect-to-{id}"), "where to dial").option("connect_to", target);
    let beside = |id: &str, option: &str, value: Value| {
        let note = format!("{option} with a static source has nothing to do, and is not an error");
        case(format!("fetch-beside-{id}"), note).option(option, value).accepted()
    };
    vec![
        fetched("not-yet", "verify_at never fetches").refused("keys_unavailable"),
        good("https", url),
        good("http", "http://127.0.0.1:8000/jwks.json"),
        good("port", "https://app.example.com:8443/jwks.json"),
        good("query", "https://app.example.com/jwks?x=1&y=2"),
        good("ipv6", "https://[2001:db8::7]:8443/jwks.json"),
        good("no-path", "https://app.example.com"),
        bad("empty", ""),
        bad("no-scheme", "app.example.com/jwks.json"),
        bad("file", "file:///etc/keys.json"),
        bad("ftp", "ftp://app.example.com/jwks.json"),
        bad("no-host", "https:///jwks.json"),
        bad("user", "https://user:word@app.example.com/jwks.json"),
        bad("fragment", "https://app.example.com/jwks.json#x"),
        bad("space", "https://app.example.com/a b"),
        bad("line-end", "https://app.example.com/jwks.json\n"),
        bad("not-ascii", "https://bücher.example/jwks.json"),
        bad("port-0", "https://app.example.com:0/jwks.json"),
        bad("port-65536", "https://app.example.com:65536/jwks.json"),
        bad("ipv6-bare", "https://2001:db8::7/jwks.json"),
        dial("host-port", "pomerium:443").refused("keys_unavailable"),
        dial("ipv4", "127.0.0.1:8443").refused("keys_unavailable"),
        dial("ipv6", "[::1]:8443").refused("keys_unavailable"),
        dial("no-port", "pomerium").invalid("connect_to"),
        dial("port-0", "pomerium:0").invalid("connect_to"),
        dial("port-65536", "pomerium:65536").invalid("connect_to"),
        dial("no-host", ":443").invalid("connect_to"),
        dial("ipv6-bare", "::1:8443").invalid("connect_to"),
        dial("url", "https://pomerium:443").invalid("connect_to"),
        dial("empty", "").invalid("connect_to"),
        fetched("allow-http", "plain http beyond loopback").option("allow_http", true).refused("keys_unavailable"),
        beside("connect-to", "connect_to", json!("pomerium:443")),
        beside("allow-http", "allow_http", json!(true)),
        beside("ca-pem", "ca_pem", json!(CERTIFICATE)),
        beside("ca-file", "ca_file", json!("files/certificate.pem")),
    ]
}

/// `jwks_initial`: as if fetched one ttl before construction. `verify_at` uses it and fetches nothing.
fn initial() -> Vec<Case> {
    let starting = |id: &str, note: &str, set: Value| {
        let options = json!({"route": format!("https://{HOST}"), "jwks_initial": set});
        case(format!("initial-{id}"), note).options(options)
    };
    let good = |id: &str, note: &str| starting(id, note, key_set(&[&KEY]));
    vec![
        good("used", "a set to start with").accepted(),
        good("with-url", "with an address of its own").option("jwks_url", "https://keys.example.com/x").accepted(),
        good("connect-to", "and dialled elsewhere").option("connect_to", "pomerium:443").accepted(),
        good("timeout", "with the options of the fetch")
            .option("timeout", 1)
            .option("cache_ttl", 600)
            .option("max_stale", 0)
            .option("refetch_cooldown", 1)
            .option("allow_http", true)
            .accepted(),
        good("ca-file", "and a file of certificates").option("ca_file", "files/certificate.pem").accepted(),
        good("ca-pem", "or their text").option("ca_pem", format!("{CERTIFICATE}{RSA_CERTIFICATE}")).accepted(),
        good("ca-file-missing", "a file that is not there")
            .option("ca_file", "files/no-such-file.pem")
            .invalid("ca_file"),
        good("ca-file-no-certificate", "a file of something else")
            .option("ca_file", "files/public-key.pem")
            .invalid("ca_file"),
        good("ca-pem-empty", "no certificate at all").option("ca_pem", "").invalid("ca_pem"),
        good("ca-pem-path", "a path: there is ca_file").option("ca_pem", "/etc/ssl/ca.pem").invalid("ca_pem"),
        good("unknown-kid", "the address may know the key by now: nobody has asked it")
            .minted_by(&OTHER)
            .refused("keys_unavailable"),
        good("signature", "a key that is there judges").signed_by(&OTHER).refused("signature_invalid"),
        starting("empty", "nothing to start with", json!({"keys": []})).refused("keys_empty"),
        starting("null", "nothing to start with", json!({"keys": null})).refused("keys_empty"),
        starting("no-keys", "no set", json!({})).invalid("jwks_initial"),
        starting("single", "a key, not a set", jwk(&KEY)).invalid("jwks_initial"),
        case("initial-static", "a set to start with, and a source that is there at once")
            .option("jwks_initial", key_set(&[&KEY]))
            .invalid("jwks_initial"),
    ]
}

/// Trust on first use pins in `verify` alone: `verify_at` passes over what is not pinned yet, but wants it to be there.
fn first_use() -> Vec<Case> {
    let trusting = |id: &str, note: &str| {
        case(format!("first-use-{id}"), note).options(json!({"trust_on_first_use": true, "jwks": key_set(&[&KEY])}))
    };
    vec![
        trusting("both", "any issuer and audience")
            .claim("iss", "https://x/")
            .claim("aud", json!(["y", "z"]))
            .accepted_as(json!({"issuer": "https://x/", "audience": ["y", "z"]})),
        trusting("no-issuer", "but there must be an issuer").without("iss").refused("issuer_mismatch"),
        trusting("empty-issuer", "not an empty one").claim("iss", "").refused("issuer_mismatch"),
        trusting("no-audience", "and an audience").without("aud").refused("audience_mismatch"),
        trusting("empty-audience", "not an empty one").claim("aud", "").refused("audience_mismatch"),
        trusting("empty-audiences", "nor an empty list").claim("aud", json!([])).refused("audience_mismatch"),
        trusting("audiences-of-nothing", "nor a list of nothing")
            .claim("aud", json!(["", ""]))
            .refused("audience_mismatch"),
        trusting("audience-beside-nothing", "an empty one in addition does not matter")
            .claim("aud", json!(["", HOST]))
            .accepted_as(json!({"audience": ["", HOST]})),
        trusting("issuer-given", "what is configured is checked")
            .option("issuer", "idp.example.com")
            .refused("issuer_mismatch"),
        trusting("audience-given", "what is configured is checked")
            .option("audience", "other.example.com")
            .refused("audience_mismatch"),
        trusting("pattern-pairing", "an issuer matched by a pattern is paired all the same")
            .option("issuer", "*.example.com")
            .claim("aud", "other.example.com")
            .refused("audience_mismatch"),
        trusting("all-else-checked", "every other check is as always").at(EXP + 60).refused("token_expired"),
        trusting("anonymous", "nobody is nobody").claim("sub", "").refused("subject_missing"),
        trusting("no-source", "keys must come from somewhere that no token names")
            .without_option("jwks")
            .invalid("needs a key source of its own"),
        trusting("no-source-route", "a route's own address is not explicit")
            .without_option("jwks")
            .option("route", "https://app.example.com")
            .invalid("needs a key source of its own"),
        trusting("false", "switched off it is not there")
            .option("trust_on_first_use", false)
            .invalid("audience is missing"),
        case("first-use-nothing-left", "everything is configured: nothing to pin")
            .option("trust_on_first_use", true)
            .accepted(),
    ]
}

fn algorithms() -> Vec<Case> {
    let of = |id: &str, note: &str, value: Value| case(format!("algorithms-{id}"), note).option("algorithms", value);
    let names = |count: usize| -> Value { vec![json!("ES256"); count].into() };
    vec![
        of("string", "a list of one is a string", json!("ES256")).accepted(),
        of("both", "everything there is", json!(["RS256", "ES256"])).accepted(),
        of("64", "as many as there may be", names(64)).accepted(),
        of("65", "one more", names(65)).invalid("1 to 64"),
        of("0", "no token could ever be accepted", json!([])).invalid("1 to 64"),
        of("none", "no signature", json!(["ES256", "none"])).invalid("ES256 and RS256"),
        of("hs256", "a shared secret", json!("HS256")).invalid("ES256 and RS256"),
        of("es384", "another curve", json!("ES384")).invalid("ES256 and RS256"),
        of("lower-case", "in another case", json!("es256")).invalid("ES256 and RS256"),
        of("comma", "two in one text", json!("ES256,RS256")).invalid("ES256 and RS256"),
        of("empty", "an empty text", json!("")).invalid("ES256 and RS256"),
    ]
}

/// `pin_kids`: keys whose thumbprint is not listed are skipped.
fn pins() -> Vec<Case> {
    let pinned = |id: &str, note: &str, pins: Value| case(format!("pin-{id}"), note).option("pin_kids", pins);
    let (own, other) = (KEY.thumbprint(), OTHER.thumbprint());
    let many = |count: usize| -> Value { vec![json!(own); count].into() };
    vec![
        pinned("own", "the key is listed", json!([own])).accepted(),
        pinned("string", "a list of one is a string", json!(own)).accepted(),
        pinned("second", "among others", json!([other, own])).accepted(),
        pinned("other", "another key is listed", json!([other])).refused_saying("keys_empty", "not in pin_kids"),
        pinned("one-of-two", "of two keys one is listed, and this is not the one", json!([other]))
            .keys(key_set(&[&KEY, &OTHER]))
            .refused("key_not_found"),
        pinned("thumbprint", "the thumbprint counts, not the kid that a set gives", json!([other]))
            .keys(json!({"keys": [jwk_with(&KEY, json!({"kid": other}))]}))
            .refused_saying("keys_empty", "not in pin_kids"),
        pinned("renamed", "so a key with another kid may be listed", json!([own]))
            .keys(json!({"keys": [jwk_with(&KEY, json!({"kid": "main"}))]}))
            .header(r#"{"alg":"ES256","kid":"main","typ":"JWT"}"#)
            .accepted(),
        pinned("pem", "of a PEM key too", json!([own])).source("public_key", KEY.public_key_pem()).accepted(),
        pinned("pem-other", "which is then a fault of the options", json!([other]))
            .source("public_key", KEY.public_key_pem())
            .invalid("pin_kids"),
        pinned("shared-kid", "of two keys under one kid the listed one is left", json!([own]))
            .keys(json!({"keys": [jwk_with(&OTHER, json!({"kid": own})), jwk(&KEY)]}))
            .accepted(),
        pinned("64", "as many as there may be", many(64)).accepted(),
        pinned("65", "one more", many(65)).invalid("1 to 64"),
        pinned("0", "no key could ever be used", json!([])).invalid("1 to 64"),
        pinned("upper-case", "Pomerium writes hex in lower case", json!([own.to_uppercase()]))
            .invalid("lower-case hex"),
        pinned("63-digits", "a digit is missing", json!([own[1..]])).invalid("pin_kids"),
        pinned("65-digits", "a digit too much", json!([format!("{own}0")])).invalid("pin_kids"),
        pinned("letter", "a letter that is not a digit", json!([format!("{}g", &own[1..])])).invalid("pin_kids"),
        pinned("base64url", "a thumbprint in base64url", json!(["FfYsbGlDmGrPG6nGqLLEzUUz1ztFdqDDgnTn0yyLXYg"]))
            .invalid("pin_kids"),
        pinned("empty", "an empty text", json!("")).invalid("pin_kids"),
    ]
}
