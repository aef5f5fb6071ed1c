//! Every case, and what the crate `jsonwebtoken` says of it, configured as a careful user would. If the two differ, a row of the
//! table says why.
#![forbid(unsafe_code)]

use std::{collections::BTreeMap, fs};

use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Validation,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    decode, decode_header,
    errors::{ErrorKind, Result},
    get_current_timestamp,
    jwk::JwkSet,
    signature,
};
use ring::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey};
use serde_json::Value;

/// Why the two differ on some cases. Each must differ on one at least.
struct Difference {
    /// With what the case refuses that `jsonwebtoken` accepts; or [`ACCEPTED`], which it refuses.
    code: &'static str,
    /// How the ids of these cases begin. Each beginning is used.
    ids: &'static [&'static str],
    why: &'static str,
}

const ACCEPTED: &str = "accepted";
/// If the code alone says what is not checked.
const ANY: &[&str] = &[""];

const DIFFERENCES: &[Difference] = &[
    // What it accepts
    Difference { code: "header_unsupported", ids: ANY, why: "typ and crit are read and not judged" },
    Difference { code: "token_issued_in_future", ids: ANY, why: "iat is not looked at" },
    Difference { code: "token_too_old", ids: ANY, why: "there is no greatest age" },
    Difference { code: "claim_mismatch", ids: ANY, why: "demands on other claims are the caller's business" },
    Difference { code: "group_required", ids: ANY, why: "groups are the caller's business" },
    Difference { code: "subject_missing", ids: ANY, why: "sub can be demanded, but an empty one will do" },
    Difference { code: "token_too_large", ids: ANY, why: "there is no limit of size" },
    Difference {
        code: "token_not_yet_valid",
        ids: ANY,
        why: "not compared: its clock cannot be set, and its margins move exp only",
    },
    Difference {
        code: "token_expired",
        ids: &["exp-leeway-over", "exp-no-leeway-over", "exp-largest-leeway-over"],
        why: "the second of exp plus leeway still counts; RFC 7519 says on or after",
    },
    Difference {
        code: "token_malformed",
        ids: &["header-json-duplicate"],
        why: "of several members of one name the last counts",
    },
    Difference { code: "token_malformed", ids: &["kid-null"], why: "null is as good as missing" },
    Difference {
        code: "token_malformed",
        ids: &["depth-header", "header-size"],
        why: "a header may be as long and nearly as deep as it likes",
    },
    Difference {
        code: "token_malformed",
        ids: &["header-json-reserved"],
        why: "what members are called that are not looked at does not matter",
    },
    Difference {
        code: "claims_malformed",
        ids: &["payload-json-reserved"],
        why: "what members are called that are not looked at does not matter",
    },
    Difference {
        code: "claims_malformed",
        ids: &["payload-json-duplicate", "order-14"],
        why: "of several members of one name the last counts",
    },
    Difference {
        code: "claims_malformed",
        ids: &["type-groups", "type-user", "type-email", "type-name", "type-sid", "type-jti"],
        why: "claims that are not validated have any type",
    },
    Difference { code: "claims_malformed", ids: &["type-iss-list"], why: "iss may be a list, one of which is enough" },
    Difference { code: "claims_malformed", ids: &["time-iat", "age-iat-missing"], why: "iat is not looked at" },
    Difference {
        code: "claims_malformed",
        ids: &["time-exp", "time-nbf"],
        why: "times end at 2^64, not where doubles lose seconds",
    },
    Difference {
        code: "keys_empty",
        ids: &["jwk-private", "rs256-key-private"],
        why: "a published private key verifies like any other",
    },
    Difference {
        code: "keys_empty",
        ids: &["jwk-alg", "jwk-use", "jwk-key-ops", "rs256-key-alg", "rs256-key-use"],
        why: "what a key says it is for is the caller's business",
    },
    Difference {
        code: "keys_empty",
        ids: &["double-kid", "rs256-shared-kid"],
        why: "the first of two keys under one kid is taken",
    },
    Difference { code: "key_not_found", ids: &["double-kid"], why: "the first of two keys under one kid is taken" },
    Difference { code: "keys_empty", ids: &["pin"], why: "keys cannot be pinned" },
    Difference { code: "key_not_found", ids: &["pin"], why: "keys cannot be pinned" },
    // What it refuses
    Difference {
        code: ACCEPTED,
        ids: &["bearer", "size-bearer"],
        why: "taking `Bearer ` away is the caller's business",
    },
    Difference {
        code: ACCEPTED,
        ids: &["public-key-base64", "public-key-rsa-base64", "file-key-base64", "file-key-certificate-base64"],
        why: "PEM in base64, as Pomerium's settings are, is the caller's business",
    },
    Difference {
        code: ACCEPTED,
        ids: &["public-key-ec-parameters"],
        why: "only the first PEM block is read, and openssl ecparam writes its parameters first",
    },
    Difference {
        code: ACCEPTED,
        ids: &["choice", "double-same", "rs256-mixed-set-no-kid", "rs256-key-no-alg", "rs256-key-pinned"],
        why: "keys are found by their kid alone; a token or key without one is the caller's business",
    },
    Difference {
        code: ACCEPTED,
        ids: &["jwk-all-beside-a-good-one"],
        why: "one key that cannot be read spoils the whole set",
    },
    Difference {
        code: ACCEPTED,
        ids: &["pin-shared-kid", "double-kid-unusable"],
        why: "the first key under a kid is taken, usable or not",
    },
    Difference { code: ACCEPTED, ids: &["nbf-string"], why: "nbf is a number, as RFC 7519 has it" },
    Difference {
        code: ACCEPTED,
        ids: &["names", "wildcard"],
        why: "issuers and audiences are exact: there are no patterns",
    },
    Difference { code: ACCEPTED, ids: &["first-use"], why: "issuer and audience must be known beforehand" },
];

#[test]
fn every_difference_is_explained() {
    PROVIDER.install_default().expect("nobody has installed another");
    let (mut compared, mut unexplained) = (0, Vec::new());
    let mut explained: BTreeMap<(&str, &str), usize> = BTreeMap::new(); // code and beginning of the id -> cases
    for case in cases() {
        let Some(token) = expand(&case["token"]) else { continue };
        let user = CarefulUser { options: &case["options"] };
        let (true, Some(now)) = (user.has_keys(), case["now"].as_u64()) else { continue };
        let outcome = user.verify(&token, now);
        let code = case["expect"]["code"].as_str().unwrap_or(ACCEPTED);
        let id = case["id"].as_str().expect("an id");
        compared += 1;
        if outcome.is_ok() == (code == ACCEPTED) {
            continue;
        }
        match explain(code, id) {
            Some(beginning) => *explained.entry(beginning).or_default() += 1,
            None => unexplained.push(format!("{id}: {code}, but jsonwebtoken says {outcome:?}")),
        }
    }
    for row in DIFFERENCES {
        let counts = row.ids.iter().map(|begin| explained.get(&(row.code, begin)).copied().unwrap_or_default());
        let counts: Vec<usize> = counts.collect();
        println!("{:4} {:22} {}", counts.iter().sum::<usize>(), row.code, row.why);
        assert!(
            !counts.contains(&0),
            "no case differs so any more, take it away: {} {:?} {counts:?}",
            row.code,
            row.ids
        );
    }
    println!("jsonwebtoken: {compared} cases, {} differ", explained.values().sum::<usize>());
    assert!(compared > 700, "only {compared} cases were compared");
    assert!(
        unexplained.is_empty(),
        "{} differences without a row in DIFFERENCES: say there why they differ, or find the fault\n{}",
        unexplained.len(),
        unexplained.join("\n")
    );
}

fn cases() -> Vec<Value> {
    let files = ["cases.json", "genuine.json"];
    files
        .iter()
        .flat_map(|file| serde_json::from_slice::<Vec<Value>>(&fs::read(file).expect(file)).expect(file))
        .collect()
}

/// The code and the beginning that explain a difference: of the first row that has one.
fn explain(code: &str, id: &str) -> Option<(&'static str, &'static str)> {
    let rows = DIFFERENCES.iter().filter(|row| row.code == code);
    rows.flat_map(|row| row.ids.iter().map(|begin| (row.code, *begin))).find(|(_, begin)| id.starts_with(begin))
}

/// As far as [`jsonwebtoken`] can be told what a case's options say.
struct CarefulUser<'a> {
    options: &'a Value,
}

impl CarefulUser<'_> {
    /// Whether the case gives its keys: there is nothing to fetch them from.
    fn has_keys(&self) -> bool {
        ["jwks", "jwks_initial", "jwks_file", "public_key", "public_key_file"]
            .iter()
            .any(|source| self.options.get(source).is_some())
    }

    fn verify(&self, token: &str, now: u64) -> Result<()> {
        let header = decode_header(token)?;
        let key = self.key(header.kid.as_deref(), header.alg)?;
        let mut validation = Validation::new(header.alg);
        validation.algorithms = self.algorithms();
        validation.algorithms.retain(|algorithm| algorithm.family() == key.family()); // all must be of the key's
        validation.set_issuer(&self.names("issuer"));
        validation.set_audience(&self.names("audience"));
        let demanded = if self.options["allow_anonymous"] == true {
            &["exp", "iss", "aud"][..]
        } else {
            &["exp", "iss", "aud", "sub"]
        };
        validation.set_required_spec_claims(demanded);
        validation.leeway = self.options["leeway"].as_u64().unwrap_or(60);
        at(now, validation, |validation| decode::<Value>(token, &key, validation).map(drop))
    }

    fn algorithms(&self) -> Vec<Algorithm> {
        match self.options.get("algorithms") {
            Some(listed) => texts(listed).iter().filter_map(|name| name.parse().ok()).collect(),
            None => vec![Algorithm::ES256],
        }
    }

    /// Both forms of each host, from the option or the route; patterns cannot be told.
    fn names(&self, option: &str) -> Vec<String> {
        let hosts = match self.options.get(option) {
            Some(given) => texts(given),
            None => texts(&self.options["route"]).iter().map(|route| host(route)).collect(),
        };
        let exact = hosts.iter().filter(|host| !host.contains('*'));
        exact.flat_map(|host| [host.clone(), format!("https://{host}/")]).collect()
    }

    fn key(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<DecodingKey> {
        let text = |name: &str| self.options[name].as_str().map(|text| text.as_bytes().to_vec());
        let file = |name: &str| self.options[name].as_str().map(|path| fs::read(path).expect(path));
        if let Some(pem) = text("public_key").or_else(|| file("public_key_file")) {
            return match algorithm {
                Algorithm::ES256 => DecodingKey::from_ec_pem(&pem),
                _ => DecodingKey::from_rsa_pem(&pem),
            };
        }
        let inline = |name: &str| self.options.get(name).map(|set| set.to_string().into_bytes());
        let set = inline("jwks").or_else(|| inline("jwks_initial")).or_else(|| file("jwks_file")).unwrap_or_default();
        let set: JwkSet = serde_json::from_slice(&set)?;
        let key = match kid {
            Some(kid) => set.find(kid),
            None => set.keys.first().filter(|_| set.keys.len() == 1),
        };
        DecodingKey::from_jwk(key.ok_or(ErrorKind::InvalidKeyFormat)?)
    }
}

/// [`jsonwebtoken`] reads the system's clock. Its two margins move `exp` by as much as the clock is away from `now`;
/// nothing moves `nbf`, so that only its type is judged.
fn at<T>(now: u64, validation: Validation, decode: impl Fn(&Validation) -> Result<T>) -> Result<T> {
    let mut for_nbf = validation.clone();
    (for_nbf.validate_exp, for_nbf.validate_nbf, for_nbf.leeway) = (false, true, u64::MAX / 2);
    decode(&for_nbf)?;
    loop {
        let clock = get_current_timestamp();
        let mut for_exp = validation.clone();
        for_exp.leeway = (for_exp.leeway + clock.saturating_sub(now)).min(clock);
        for_exp.reject_tokens_expiring_in_less_than = now.saturating_sub(clock);
        let outcome = decode(&for_exp);
        if get_current_timestamp() == clock {
            return outcome;
        }
    }
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(list) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

fn host(route: &str) -> String {
    let authority = route.split("://").nth(1).unwrap_or_default();
    authority.split(['/', ':']).next().unwrap_or_default().to_ascii_lowercase()
}

/// The two algorithms as the backend `aws_lc_rs` of [`jsonwebtoken`] has them, whose interface is ring's.
static PROVIDER: CryptoProvider =
    CryptoProvider { signer_factory: no_signer, verifier_factory: verifier, key_utils: KeyUtils::new_unimplemented() };

fn no_signer(_: &Algorithm, _: &EncodingKey) -> Result<Box<dyn JwtSigner>> {
    Err(ErrorKind::InvalidAlgorithm.into())
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    let fits = matches!(algorithm, Algorithm::ES256 | Algorithm::RS256) && algorithm.family() == key.family();
    if !fits {
        return Err(ErrorKind::InvalidAlgorithm.into());
    }
    Ok(Box::new(Ring { algorithm: *algorithm, key: key.clone() }))
}

struct Ring {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl JwtVerifier for Ring {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl signature::Verifier<Vec<u8>> for Ring {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), signature::Error> {
        use jsonwebtoken::DecodingKeyKind::{RsaModulusExponent, SecretOrDer};
        let outcome = match (self.algorithm, self.key.kind()) {
            (Algorithm::ES256, SecretOrDer(point)) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            (_, SecretOrDer(der)) => {
                UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der).verify(message, signature)
            }
            (_, RsaModulusExponent { n, e }) => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            }
        };
        outcome.map_err(|_| signature::Error::new())
    }
}

/// A token as a case holds it: a string, or a list of parts and `[part, repetitions]`.
fn expand(token: &Value) -> Option<String> {
    let part = |part: &Value| match part {
        Value::String(text) => text.clone(),
        _ => part[0]
            .as_str()
            .unwrap_or_default()
            .repeat(part[1].as_u64().and_then(|n| n.try_into().ok()).unwrap_or_default()),
    };
    match token {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => Some(parts.iter().map(part).collect()),
        _ => None,
    }
}
