//! Issuer, audience and route: 39 examples by number, then what an attacker or a hasty administrator would try.

use serde_json::{Value, json};

use crate::{
    case::{Case, Draft, case},
    fixtures::{HOST, KEY, key_set},
};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = EXAMPLES.lines().map(example).collect();
    cases.extend(TOKENS.lines().map(token));
    cases.extend(patterns());
    cases.extend(ADDRESSES.lines().map(address));
    cases.extend(bad_entries());
    cases.extend(bad_routes());
    cases.extend(limits());
    cases
}

/// Number; options, `+` for a key set besides; `iss`; `aud` in JSON; `ok`, a code, or `!` and what the sentence must
/// hold; note.
const EXAMPLES: &str = r#"01 | {"route":"https://app.example.com"} | app.example.com | "app.example.com" | ok | a route gives issuer and audience
02 | {"route":"https://app.example.com/"} | https://app.example.com/ | "app.example.com" | ok | a slash after the route, the URI form in the token
03 | {"route":"https://app.example.com:8443"} | app.example.com | "app.example.com" | ok | Pomerium never writes the port
04 | {"route":"https://app.example.com:8443"} | app.example.com:8443 | "app.example.com" | issuer_mismatch | so an issuer with a port is another one
05 | {"route":"HTTPS://App.Example.COM"} | app.example.com | "app.example.com" | ok | a route is lower-cased
06 | {"route":"https://App.Example.COM"} | App.Example.COM | "App.Example.COM" | issuer_mismatch | a token is not lower-cased
07 | {"route":"https://app.example.com."} | app.example.com. | "app.example.com." | ok | a fully qualified name keeps its dot
08 | {"route":"https://app.example.com"} | app.example.com. | "app.example.com." | issuer_mismatch | and differs from the one without
09 | {"route":"https://bücher.example"} | | | !https://host[:port], nothing after it | a route is ASCII
10 | {"route":"https://xn--bcher-kva.example"} | xn--bcher-kva.example | "xn--bcher-kva.example" | ok | punycode it is
11 | {"route":"https://[2001:db8::7]"} | | | !IPv6 | Pomerium garbles IPv6 addresses
12 | {"issuer":"2001:db8:","audience":"2001:db8:"} + | 2001:db8: | "2001:db8:" | ok | what it makes of one can be written by hand
13 | {"issuer":"2001:db8:","audience":"2001:db8:"} | | | !no key source: set jwks_url | but no address follows from it
14 | {"route":"https://app.example.com/admin"} | | | !a token names the host alone, without port or path | a route has no path
15 | {"route":"https://app.example.com?x"} | | | !https://host[:port], nothing after it | nor a query
16 | {"route":"app.example.com"} | | | !https://host[:port], nothing after it | but a scheme
17 | {"route":"tcp+https://ssh.example.com:22"} | | | !https://host[:port], nothing after it | which is http or https
18 | {"route":"http://app.example.com"} | app.example.com | "app.example.com" | ok | http is a route's scheme too
19 | {"route":"http://127.0.0.1:8000"} | 127.0.0.1 | "127.0.0.1" | ok | an IPv4 address
20 | {"route":"https://*.apps.example.com"} | | | !no key source: set jwks_url | a wildcard names no host to ask
21 | {"route":["https://*.apps.example.com","https://app.example.com:8443"]} | t1.apps.example.com | "t1.apps.example.com" | ok | the other route does
22 | {"route":["https://*.apps.example.com","https://app.example.com:8443"]} | https://a.b.apps.example.com/ | "a.b.apps.example.com" | ok | several labels, the URI form
23 | {"route":["https://*.apps.example.com","https://app.example.com:8443"]} | app.example.com | "t1.apps.example.com" | ok | an exact issuer goes with any audience
24 | {"route":["https://*.apps.example.com","https://app.example.com:8443"]} | t1.apps.example.com | "app.example.com" | audience_mismatch | an issuer matched by a pattern must be an audience
25 | {"route":["https://*.apps.example.com","https://app.example.com:8443"]} | t1.apps.example.com | ["app.example.com","t1.apps.example.com"] | ok | one of several is enough
26 | {"route":"https://*.apps.example.com","issuer":"authenticate.example.com:4443"} | authenticate.example.com:4443 | "t1.apps.example.com" | ok | Pomerium to 0.21.2: the authenticate host, with its port
27 | {"route":"https://*.apps.example.com"} + | apps.example.com | "apps.example.com" | issuer_mismatch | a pattern matches at least one label
28 | {"route":"https://*.apps.example.com"} + | .apps.example.com | ".apps.example.com" | issuer_mismatch | which is not empty
29 | {"route":"https://*.apps.example.com"} + | T1.apps.example.com | "T1.apps.example.com" | ok | and may be in upper case
30 | {"route":"https://*.apps.example.com"} + | t1.Apps.example.com | "t1.Apps.example.com" | issuer_mismatch | unlike the suffix
31 | {"route":"https://*.apps.example.com"} + | t1.apps.example.com:8443 | "t1.apps.example.com" | issuer_mismatch | a port is not part of a label
32 | {"route":"https://*.apps.example.com"} + | https://t1.apps.example.com | "t1.apps.example.com" | issuer_mismatch | the URI form ends in a slash
33 | {"route":"https://a.*.example.com"} + | | | !* only as the first label | a star stands first
34 | {"issuer":"https://app.example.com/","audience":"app.example.com"} + | app.example.com | "app.example.com" | issuer_mismatch | an entry with a scheme is exact
35 | {"issuer":"https://*.apps.example.com/","audience":"*.apps.example.com"} + | | | !a pattern has no scheme | for it matches both forms
36 | {"issuer":["a.example.com","b.example.com"],"audience":"a.example.com"} | | | !no key source: set jwks_url | two hosts: which one to ask?
37 | {"issuer":["*.example.com","a.example.com"],"audience":["a.example.com","b.example.com"]} + | a.example.com | "b.example.com" | ok | the exact entry wins, so no pairing is asked for
38 | {"route":"https://app.example.com","audience":"other.example.com"} | app.example.com | "app.example.com" | audience_mismatch | an explicit option overrides the route's
39 | {"issuer":"app.example.com","audience":"https://app.example.com"} + | app.example.com | "app.example.com" | audience_mismatch | an audience with a scheme is exact too"#;

fn example(line: &str) -> Case {
    let [number, options, iss, aud, outcome, note] = columns(line);
    let (options, with_keys) = options.strip_suffix(" +").map_or((options, false), |options| (options, true));
    let draft = case(format!("names-{number}"), note).options(json(options));
    let keys = key_set(&[&KEY]);
    match (outcome.strip_prefix('!'), with_keys) {
        (Some(part), true) => draft.keys(keys).invalid(part),
        (Some(part), false) => draft.invalid(part),
        (None, true) => judged(draft.keys(keys), &format!("{iss:?}"), aud, outcome),
        // the source is the derived address, and this is the set it starts with
        (None, false) => judged(draft.option("jwks_initial", keys), &format!("{iss:?}"), aud, outcome),
    }
}

/// A token with these names, against an outcome in one word; `-` is a name left out.
fn judged(draft: Draft, iss: &str, aud: &str, outcome: &str) -> Case {
    let with =
        |draft: Draft, name, value| if value == "-" { draft.without(name) } else { draft.claim(name, json(value)) };
    let draft = with(with(draft, "iss", iss), "aud", aud);
    match outcome {
        "ok" => {
            let audience = json(aud);
            let audience = if audience.is_array() { audience } else { json!([audience]) };
            draft.accepted_as(json!({"issuer": json(iss), "audience": audience}))
        }
        "issuer_mismatch" => draft.refused("issuer_mismatch"),
        "audience_mismatch" => draft.refused("audience_mismatch"),
        _ => unreachable!("{outcome} is not an outcome of these tables"),
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text} is a column of JSON: {error}"))
}

fn columns<const COUNT: usize>(line: &str) -> [&str; COUNT] {
    let columns: Vec<&str> = line.split('|').map(str::trim).collect();
    columns.try_into().unwrap_or_else(|_| panic!("{line}: {COUNT} columns are needed"))
}

/// Id; options `issuer` and `audience`; claims `iss` and `aud`, `-` for none; outcome; note. Values are JSON.
const TOKENS: &str = r#"issuer-missing | "app.example.com" | "app.example.com" | - | "app.example.com" | issuer_mismatch | no iss
issuer-empty | "app.example.com" | "app.example.com" | "" | "app.example.com" | issuer_mismatch | Pomerium's iss for a request without Host
issuer-empty-uri | "*.example.com" | "app.example.com" | "https:///" | "app.example.com" | issuer_mismatch | the URI form of no host
issuer-prefix | "app.example.com" | "app.example.com" | "app.example.co" | "app.example.com" | issuer_mismatch | a prefix of the issuer
issuer-longer | "app.example.com" | "app.example.com" | "app.example.com.evil.example" | "app.example.com" | issuer_mismatch | the issuer is a prefix of it
issuer-suffix | "app.example.com" | "app.example.com" | "evilapp.example.com" | "app.example.com" | issuer_mismatch | the issuer is a suffix of it
issuer-subdomain | "app.example.com" | "app.example.com" | "evil.app.example.com" | "app.example.com" | issuer_mismatch | a host below the issuer
issuer-parent | "app.example.com" | "app.example.com" | "example.com" | "app.example.com" | issuer_mismatch | the host above the issuer
issuer-upper-case | "app.example.com" | "app.example.com" | "APP.EXAMPLE.COM" | "app.example.com" | issuer_mismatch | names compare byte for byte
issuer-option-upper-case | "App.Example.COM" | "app.example.com" | "App.Example.COM" | "app.example.com" | ok | an explicit issuer is not lower-cased
issuer-space | "app.example.com" | "app.example.com" | "app.example.com " | "app.example.com" | issuer_mismatch | a space after it
issuer-nul | "app.example.com" | "app.example.com" | "app.example.com\u0000" | "app.example.com" | issuer_mismatch | a NUL after it
issuer-line-end | "app.example.com" | "app.example.com" | "app.example.com\n" | "app.example.com" | issuer_mismatch | a line end after it
issuer-homograph | "app.example.com" | "app.example.com" | "аpp.example.com" | "app.example.com" | issuer_mismatch | its first letter is Cyrillic
issuer-list-text | "app.example.com" | "app.example.com" | "evil.example,app.example.com" | "app.example.com" | issuer_mismatch | two issuers in one text
issuer-uri | "app.example.com" | "app.example.com" | "https://app.example.com/" | "app.example.com" | ok | a host accepts its URI form too
issuer-uri-http | "app.example.com" | "app.example.com" | "http://app.example.com/" | "app.example.com" | issuer_mismatch | which is https
issuer-uri-upper-case | "app.example.com" | "app.example.com" | "HTTPS://app.example.com/" | "app.example.com" | issuer_mismatch | in lower case
issuer-uri-no-slash | "app.example.com" | "app.example.com" | "https://app.example.com" | "app.example.com" | issuer_mismatch | with the slash at its end
issuer-uri-two-slashes | "app.example.com" | "app.example.com" | "https://app.example.com//" | "app.example.com" | issuer_mismatch | just one
issuer-uri-user | "app.example.com" | "app.example.com" | "https://app.example.com@evil.example/" | "app.example.com" | issuer_mismatch | the host is a user's name
issuer-uri-path | "app.example.com" | "app.example.com" | "https://evil.example/app.example.com/" | "app.example.com" | issuer_mismatch | the host is a path
issuer-uri-entry | "https://app.example.com/" | "app.example.com" | "https://app.example.com/" | "app.example.com" | ok | an entry with a scheme accepts only itself
issuer-uri-entry-http | "http://app.example.com/" | "app.example.com" | "http://app.example.com/" | "app.example.com" | ok | whichever scheme
issuer-any-of | ["a.example.com","app.example.com"] | "app.example.com" | "app.example.com" | "app.example.com" | ok | the second of two issuers
issuer-none-of | ["a.example.com","b.example.com"] | "app.example.com" | "app.example.com" | "app.example.com" | issuer_mismatch | neither of two
issuer-not-ascii | "bücher.example" | "app.example.com" | "bücher.example" | "app.example.com" | ok | an explicit issuer may hold any letters
issuer-audience-swapped | "idp.example.com" | "app.example.com" | "app.example.com" | "idp.example.com" | issuer_mismatch | each is checked against its own option
audience-missing | "app.example.com" | "app.example.com" | "app.example.com" | - | audience_mismatch | no aud
audience-empty | "app.example.com" | "app.example.com" | "app.example.com" | "" | audience_mismatch | Pomerium's aud for a request without Host
audience-empty-list | "app.example.com" | "app.example.com" | "app.example.com" | [] | audience_mismatch | an empty list
audience-list-of-empty | "app.example.com" | "app.example.com" | "app.example.com" | [""] | audience_mismatch | a list of nothing
audience-list | "app.example.com" | "app.example.com" | "app.example.com" | ["app.example.com"] | ok | a list of one
audience-last-of-list | "app.example.com" | "app.example.com" | "app.example.com" | ["", "a.example.com", "app.example.com"] | ok | any of a list is enough
audience-twice | "app.example.com" | "app.example.com" | "app.example.com" | ["app.example.com", "app.example.com"] | ok | a list is handed out as it is
audience-none-of | "app.example.com" | ["a.example.com","b.example.com"] | "app.example.com" | ["app.example.com","c.example.com"] | audience_mismatch | no audience in common
audience-second-option | "app.example.com" | ["a.example.com","b.example.com"] | "app.example.com" | ["c.example.com","b.example.com"] | ok | one in common
audience-other-app | "app.example.com" | "app.example.com" | "app.example.com" | "admin.example.com" | audience_mismatch | a token for another application of the same Pomerium
audience-prefix | "app.example.com" | "app.example.com" | "app.example.com" | "app.example.co" | audience_mismatch | a prefix of the audience
audience-longer | "app.example.com" | "app.example.com" | "app.example.com" | "app.example.com.evil.example" | audience_mismatch | the audience is a prefix of it
audience-upper-case | "app.example.com" | "app.example.com" | "app.example.com" | "APP.example.com" | audience_mismatch | names compare byte for byte
audience-comma | "app.example.com" | "app.example.com" | "app.example.com" | "a.example.com,app.example.com" | audience_mismatch | two audiences in one text
audience-space | "app.example.com" | "app.example.com" | "app.example.com" | "a.example.com app.example.com" | audience_mismatch | the same, as OAuth writes scopes
audience-uri | "app.example.com" | "app.example.com" | "app.example.com" | "https://app.example.com/" | ok | audiences have the same two forms as issuers
audience-pattern | "app.example.com" | "*.apps.example.com" | "app.example.com" | "t1.apps.example.com" | ok | an exact issuer with a pattern for the audience
pairing-uri | "*.apps.example.com" | "*.apps.example.com" | "https://t1.apps.example.com/" | "t1.apps.example.com" | ok | the host in iss is among the audiences
pairing-other-tenant | "*.apps.example.com" | "*.apps.example.com" | "t1.apps.example.com" | "t2.apps.example.com" | audience_mismatch | it is another tenant
pairing-upper-case | "*.apps.example.com" | "*.apps.example.com" | "t1.apps.example.com" | "T1.apps.example.com" | audience_mismatch | it differs in case
pairing-uri-audience | "*.apps.example.com" | "*.apps.example.com" | "t1.apps.example.com" | "https://t1.apps.example.com/" | audience_mismatch | the host itself is asked for: Pomerium writes aud without a scheme
pairing-not-enough | "*.apps.example.com" | "app.example.com" | "t1.apps.example.com" | "t1.apps.example.com" | audience_mismatch | paired, but not an expected audience
pairing-both | "*.apps.example.com" | "app.example.com" | "t1.apps.example.com" | ["t1.apps.example.com","app.example.com"] | ok | paired and expected"#;

fn token(line: &str) -> Case {
    let [id, issuer, audience, iss, aud, outcome, note] = columns(line);
    let draft = case(format!("names-{id}"), note).option("issuer", json(issuer)).option("audience", json(audience));
    judged(draft, iss, aud, outcome)
}

/// Id; a host against the pattern `*.apps.example.com`, in JSON; whether it is covered; note.
const HOSTS: &str = r#"no-dot | "evilapps.example.com" | no | the suffix without its dot
suffix-inside | "t1.apps.example.com.evil.example" | no | the suffix in the middle
empty-label | "a..apps.example.com" | no | an empty label
two-dots-first | "..apps.example.com" | no | two of them
trailing-dot | "t1.apps.example.com." | no | a dot after it: another name
slash | "evil.example/.apps.example.com" | no | a path
slash-label | "a/b.apps.example.com" | no | a slash in a label
user | "a@b.apps.example.com" | no | a user's name
question-mark | "evil.example?.apps.example.com" | no | a query
hash | "evil.example#.apps.example.com" | no | a fragment
backslash | "evil.example\\.apps.example.com" | no | what some readers take for a slash
percent | "t1%2eapps.example.com" | no | an escaped dot
percent-label | "%2e.apps.example.com" | no | an escape in a label
space | "a b.apps.example.com" | no | a space
line-end | "t1.apps.example.com\n" | no | a line end after it
line-end-label | "a\n.apps.example.com" | no | a line end in a label
nul | "evil.example\u0000.apps.example.com" | no | a NUL
star | "*.apps.example.com" | no | the pattern itself
not-ascii | "é.apps.example.com" | no | a letter beyond ASCII
full-stop | "t1。apps.example.com" | no | an ideographic full stop
colon | "t1:443.apps.example.com" | no | a port in the middle
uri-in-uri | "https://https://t1.apps.example.com//" | no | the URI form twice
label-63 | "abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz_012345678.apps.example.com" | yes | the longest label
label-64 | "abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz_0123456789.apps.example.com" | no | one byte more
many-labels | "a.b.c.d.e.f.apps.example.com" | yes | any number of labels
hyphens | "-.apps.example.com" | yes | hyphens anywhere: it is not ours to judge host names
underscore | "_t1.apps.example.com" | yes | an underscore, as in service names"#;

/// Each host as an issuer and as an audience.
fn patterns() -> impl Iterator<Item = Case> {
    let pattern = "*.apps.example.com";
    HOSTS.lines().flat_map(move |line| {
        let [id, host, covered, note] = columns(line);
        let outcome = |refused| if covered == "yes" { "ok" } else { refused };
        let issuer = case(format!("names-issuer-pattern-{id}"), note).option("issuer", pattern);
        let issuer = issuer.option("audience", json!([pattern, HOST]));
        let audience = case(format!("names-audience-pattern-{id}"), note).option("audience", pattern);
        let both = format!("[{host},{:?}]", HOST);
        let exact = format!("{HOST:?}");
        [
            judged(issuer, host, &both, outcome("issuer_mismatch")),
            judged(audience, &exact, host, outcome("audience_mismatch")),
        ]
    })
}

/// Id; options without a key source; where the keys are fetched from; note.
const ADDRESSES: &str = r#"route | {"route":"https://app.example.com"} | https://app.example.com | of the route
route-slash | {"route":"https://app.example.com/"} | https://app.example.com | without its slash
route-port | {"route":"https://app.example.com:8443"} | https://app.example.com:8443 | with its port
route-upper-case | {"route":"HTTPS://App.Example.COM"} | https://app.example.com | lower-cased
route-trailing-dot | {"route":"https://app.example.com."} | https://app.example.com. | with its dot
route-punycode | {"route":"https://xn--bcher-kva.example"} | https://xn--bcher-kva.example | in punycode
route-http | {"route":"http://127.0.0.1:8000"} | http://127.0.0.1:8000 | over http, which loopback may
route-first | {"route":["https://a.example.com","https://b.example.com"]} | https://a.example.com | of the first of several
route-after-wildcard | {"route":["https://*.apps.example.com","https://app.example.com:8443"]} | https://app.example.com:8443 | of the first without a star
route-before-issuer | {"route":"https://app.example.com","issuer":"authenticate.example.com"} | https://app.example.com | the route comes before the issuer
issuer | {"issuer":"app.example.com","audience":"app.example.com"} | https://app.example.com | of the only issuer
issuer-port | {"route":"https://*.apps.example.com","issuer":"authenticate.example.com:4443"} | https://authenticate.example.com:4443 | with its port
issuer-uri | {"issuer":"https://app.example.com/","audience":"app.example.com"} | https://app.example.com | from its URI form
issuer-and-pattern | {"issuer":["*.example.com","app.example.com"],"audience":"app.example.com"} | https://app.example.com | of the only one that is not a pattern"#;

/// `verify_at` never fetches, but it says what would be fetched.
fn address(line: &str) -> Case {
    let [id, options, origin, note] = columns(line);
    let draft = case(format!("names-address-{id}"), format!("the keys come from the address {note}"));
    draft.options(json(options)).refused_saying("keys_unavailable", format!("{origin}/.well-known/pomerium/jwks.json"))
}

/// Entries that no option takes.
fn bad_entries() -> Vec<Case> {
    let long = "a".repeat(256);
    let wide = "é".repeat(128);
    let plain = "1 to 255 bytes without spaces and controls";
    let star = "* only as the first label";
    let entries = [
        ("empty", "", plain),
        ("space", "app.example.com ", plain),
        ("tab", "app\t.example.com", plain),
        ("line-end", "app.example.com\n", plain),
        ("nul", "app.example.com\0", plain),
        ("no-break-space", "app.example.com\u{a0}", plain),
        ("256-bytes", &long, plain),
        ("128-letters-of-2-bytes", &wide, plain),
        ("star", "*", star),
        ("star-dot", "*.", star),
        ("two-stars", "*.*.example.com", star),
        ("star-in-label", "a*.example.com", star),
        ("star-behind", "example.*", star),
        ("star-empty-label", "*..example.com", star),
        ("star-port", "*.example.com:8443", star),
        ("star-slash", "*.example.com/", star),
        ("star-scheme", "https://*.example.com/", "a pattern has no scheme"),
    ];
    let of = |option: &'static str| {
        entries.map(|(id, entry, part)| {
            let draft = case(format!("names-{option}-entry-{id}"), format!("no entry of {option}"));
            draft.option(option, json!([HOST, entry])).invalid(part)
        })
    };
    [of("issuer"), of("audience")].concat()
}

/// Routes that are not a `from:` URL of Pomerium's.
fn bad_routes() -> Vec<Case> {
    let long = format!("https://{}", "a.".repeat(128));
    let routes = [
        ("empty", ""),
        ("scheme-only", "https://"),
        ("256-bytes", &long),
        ("no-host", "https://:443"),
        ("two-slashes", "https://app.example.com//"),
        ("fragment", "https://app.example.com#x"),
        ("user", "https://alice@app.example.com"),
        ("port-empty", "https://app.example.com:"),
        ("port-0", "https://app.example.com:0"),
        ("port-65536", "https://app.example.com:65536"),
        ("port-leading-zero", "https://app.example.com:0443"),
        ("port-letter", "https://app.example.com:44e"),
        ("two-ports", "https://app.example.com:443:443"),
        ("other-scheme", "ftp://app.example.com"),
        ("space", " https://app.example.com"),
        ("backslash", "https://app.example.com\\x"),
        ("percent", "https://app%2eexample.com"),
        ("dot-first", "https://.example.com"),
        ("star-alone", "https://*"),
        ("star-port", "https://*:8443"),
        ("star-empty-label", "https://*..example.com"),
        ("star-in-label", "https://a*.example.com"),
        ("two-stars", "https://*.*.example.com"),
        ("comma", "https://a.example.com,https://b.example.com"),
    ];
    let refused = |(id, route): (&str, &str)| {
        let draft = case(format!("names-route-{id}"), "no from: URL of a route").without_option("issuer");
        draft.without_option("audience").option("route", route).invalid("route")
    };
    routes.into_iter().map(refused).collect()
}

/// How many entries there may be, and how long one may be.
fn limits() -> Vec<Case> {
    let entries = |count: usize| -> Value { (1..count).map(|n| json!(format!("a{n}"))).chain([json!(HOST)]).collect() };
    let routes = |count: usize| -> Value { vec![json!(format!("https://{HOST}")); count].into() };
    let longest = "a".repeat(255);
    let named = |id: &str, note: &str| case(format!("names-limit-{id}"), note);
    let routed = |id, note, count| named(id, note).options(json!({"route": routes(count), "jwks": key_set(&[&KEY])}));
    vec![
        named("issuer-64", "as many issuers as there may be").option("issuer", entries(64)).accepted(),
        named("issuer-65", "one more").option("issuer", entries(65)).invalid("1 to 64"),
        named("issuer-0", "none").option("issuer", json!([])).invalid("1 to 64"),
        named("audience-64", "as many audiences as there may be").option("audience", entries(64)).accepted(),
        named("audience-65", "one more").option("audience", entries(65)).invalid("1 to 64"),
        named("audience-0", "none").option("audience", json!([])).invalid("1 to 64"),
        routed("route-64", "as many routes as there may be", 64).accepted(),
        routed("route-65", "one more", 65).invalid("1 to 64"),
        routed("route-0", "none", 0).invalid("1 to 64"),
        named("entry-255", "the longest entry")
            .option("issuer", longest.as_str())
            .claim("iss", longest.as_str())
            .accepted_as(json!({"issuer": longest})),
        named("issuer-value-long", "a token's iss may be of any length; a long one is cut in the message")
            .claim("iss", "a".repeat(300))
            .refused_saying("issuer_mismatch", format!("\"{}\" (cut)", "a".repeat(64))),
        named("issuer-value-escaped", "control characters are escaped in the message")
            .claim("iss", "a\n\u{1b}[31m")
            .refused_saying("issuer_mismatch", "\"a\\n\\u{1b}[31m\""),
    ]
}
