//! `docs/errors.md`: a section for each code.

use pomerium_jwt::ErrorCode;

/// What usually causes a code, and what to change, in Markdown.
struct Advice {
    code: ErrorCode,
    causes: &'static [&'static str],
    change: &'static str,
}

const fn advice(code: ErrorCode, causes: &'static [&'static str], change: &'static str) -> Advice {
    Advice { code, causes, change }
}

const ADVICE: &[Advice] = &[
    advice(
        ErrorCode::InvalidOptions,
        &[
            "A misspelt option or environment variable: every variable that begins with `POMERIUM_JWT_` must be an option.",
            "A value of the wrong type or out of range; two key sources; nothing to check issuer and audience against.",
        ],
        "Follow the message: it names the option and what to write. [All options](options.md).",
    ),
    advice(
        ErrorCode::InvalidArgument,
        &["A function was given a value that it does not take, such as a negative time or a closed verifier."],
        "Correct the call; the message names the argument.",
    ),
    advice(
        ErrorCode::TokenMissing,
        &[
            "The request did not come through Pomerium.",
            "The route does not have `pass_identity_headers: true`.",
            "The header is present and empty: Pomerium could not sign, because its `signing_key` is neither P-256 nor RSA. \
             The message tells an empty header from an absent one.",
            "A proxy between Pomerium and the application drops the header, or `header_name` names another one.",
        ],
        "Set `pass_identity_headers: true` on the route. For health checks that bypass Pomerium use `exempt_paths`.",
    ),
    advice(
        ErrorCode::TokenRepeated,
        &[
            "Something between Pomerium and the application appends the header instead of replacing it.",
            "Somebody who reaches the application without Pomerium sends a second header.",
        ],
        "Let nothing but Pomerium set the header. Pomerium itself always sends exactly one.",
    ),
    advice(
        ErrorCode::TokenTooLarge,
        &["The user is in hundreds of groups.", "`max_token_bytes` was lowered."],
        "Set `jwt_groups_filter` in Pomerium, or raise `max_token_bytes`. The web server has \
         [a limit of its own](deployment.md#header-limits).",
    ),
    advice(
        ErrorCode::TokenMalformed,
        &[
            "The header holds something else: a session cookie, an opaque token, `Bearer` without a space.",
            "The token was cut, wrapped or given white space on its way.",
        ],
        "Pass the header's value as it is. `pomerium-jwt inspect` shows which part is wrong.",
    ),
    advice(
        ErrorCode::AlgorithmNotAllowed,
        &[
            "`RS256`: Pomerium's signing key is RSA.",
            "`HS256`: this is a session cookie or a service account's credential, not the assertion.",
        ],
        "For RS256 set `algorithms` to `ES256,RS256`. For HS256 read the header `X-Pomerium-Jwt-Assertion` instead.",
    ),
    advice(
        ErrorCode::HeaderUnsupported,
        &["The token is of another kind, such as an access token (`at+jwt`): Pomerium writes `JWT` and never `crit`."],
        "Pass Pomerium's assertion and nothing else.",
    ),
    advice(
        ErrorCode::KeyNotFound,
        &[
            "Another Pomerium deployment signed the token.",
            "The key has been withdrawn: the token is older than the rotation.",
            "With `jwks`, `jwks_file` or `jwks_initial`: the set is older than the key.",
            "`pin_kids` or `algorithms` excludes the key.",
        ],
        "Compare the `kid` in the message with `pomerium-jwt keys`; see [how to rotate](keys.md#rotation).",
    ),
    advice(
        ErrorCode::SignatureInvalid,
        &[
            "The token was altered.",
            "With `public_key`: Pomerium signs with another key by now. The message compares the two.",
        ],
        "Give the new key in `public_key`, or let `route` fetch keys. Otherwise treat it as an attack.",
    ),
    advice(
        ErrorCode::ClaimsMalformed,
        &[
            "Something other than Pomerium signs with a trusted key.",
            "`max_token_age` is set and the token has no `iat`.",
        ],
        "Look at the message, which names the claim.",
    ),
    advice(
        ErrorCode::TokenExpired,
        &[
            "A long connection: a token lives for five minutes.",
            "The application stores the token and uses it again later.",
            "The clocks of Pomerium and of this machine differ.",
        ],
        "Read the token of each request, close long connections at `expires_at`, run NTP. `leeway` tolerates a difference.",
    ),
    advice(
        ErrorCode::TokenNotYetValid,
        &["The clocks differ.", "An identity provider's `nbf` is passed on by `jwt_claims_headers`."],
        "Run NTP on both machines, or raise `leeway`.",
    ),
    advice(ErrorCode::TokenIssuedInFuture, &["The clocks differ."], "Run NTP on both machines, or raise `leeway`."),
    advice(
        ErrorCode::TokenTooOld,
        &["The application uses a stored token.", "Pomerium up to 0.26 writes an `iat` that is hours or days old."],
        "Raise or remove `max_token_age`: `exp` bounds every token already.",
    ),
    advice(
        ErrorCode::IssuerMismatch,
        &[
            "`route` is not the URL in the route's `from:`.",
            "Pomerium older than 0.22 names the authenticate host, perhaps with a port.",
            "`issuer` has a scheme and the token does not: an entry without a scheme accepts both of \
             `jwt_issuer_format`'s forms.",
            "The client wrote the host in capitals, which Pomerium keeps.",
        ],
        "Use `route`, or list each spelling in `issuer`. The message has both values.",
    ),
    advice(
        ErrorCode::AudienceMismatch,
        &[
            "The token is for another application of the same Pomerium.",
            "The application has several hosts and only one is configured.",
        ],
        "List every route of this application in `route`. Never widen `audience` for a host that is not yours: one key \
         signs the tokens of all routes.",
    ),
    advice(
        ErrorCode::SubjectMissing,
        &[
            "The route is public (`allow_public_unauthenticated_access`) and nobody is signed in.",
            "The session has ended.",
        ],
        "Set `allow_anonymous` if such requests may get in, and look at `anonymous` of the identity.",
    ),
    advice(
        ErrorCode::ClaimMismatch,
        &["The user does not have what `expect_claims` demands.", "Pomerium does not pass the claim on."],
        "Add the claim to `jwt_claims_headers` in Pomerium. It is a string there, and lists are joined by commas.",
    ),
    advice(
        ErrorCode::KeysUnavailable,
        &[
            "The address of the key set cannot be reached, resolved or trusted; the message has the reason.",
            "The token's `kid` is unknown and the set may be about to change: for about two seconds after the first \
             request with a `kid`.",
        ],
        "In containers see [`ca_file` and `connect_to`](keys.md#containers). `pomerium-jwt keys` tries the same \
         fetch. The answer has a `Retry-After`.",
    ),
    advice(
        ErrorCode::KeysNeeded,
        &["A call that never waits was made while keys have to be fetched."],
        "Run one `refresh` per verifier on a thread that may wait, then ask again with the ticket. Packages with `await`, \
         goroutines or virtual threads do this by themselves.",
    ),
    advice(
        ErrorCode::KeysEmpty,
        &[
            "Pomerium before 0.33 publishes `{\"keys\":null}` unless `signing_key` is set.",
            "Every key was skipped: of another kind, private, malformed, or excluded by `pin_kids`.",
        ],
        "Set `signing_key` in Pomerium. `pomerium-jwt keys` shows each key and why it is skipped.",
    ),
    advice(
        ErrorCode::GroupRequired,
        &[
            "The user is in none of the groups.",
            "The identity provider does not send groups, or sends ids instead of names.",
            "`jwt_groups_filter` leaves the group out.",
        ],
        "Compare `groups` of the identity (`pomerium-jwt verify`) with `require_group`.",
    ),
    advice(
        ErrorCode::Internal,
        &["A bug in this library.", "The machine lacks memory or threads."],
        "Please open an issue with the message; leave tokens and keys out.",
    ),
];

/// All codes, in the order of their numbers.
pub(super) fn sections() -> String {
    ADVICE.iter().map(section).collect()
}

fn section(advice: &Advice) -> String {
    let code = advice.code;
    let kind = code.kind();
    let causes: String = advice.causes.iter().map(|cause| format!("- {cause}\n")).collect();
    format!(
        "### {code}\n\nNumber {}, kind `{}`, HTTP {}. {}\n\nLikely causes:\n{causes}\n**What to change:** {}\n\n",
        code.number(),
        kind.name(),
        code.status(),
        code.meaning(),
        advice.change,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_advice_and_in_order() {
        let advised: Vec<ErrorCode> = ADVICE.iter().map(|advice| advice.code).collect();
        assert_eq!(advised, ErrorCode::ALL, "add a code to ADVICE where ErrorCode::ALL has it");
    }
}
