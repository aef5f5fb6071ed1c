<?php

// Written by `make conformance` from the core: change core/src, not this file.

declare(strict_types=1);

namespace PomeriumJwt;

/**
 * Why a token or a request is refused: the same names and numbers in every language.
 */
enum Code: string
{
    /** The options are invalid; the message says how to fix them. */
    case InvalidOptions = 'invalid_options';
    /** A function was called with an invalid argument. */
    case InvalidArgument = 'invalid_argument';
    /** No token: the request did not come through Pomerium, or pass_identity_headers is off. */
    case TokenMissing = 'token_missing';
    /** Several tokens in one request: Pomerium sends exactly one. */
    case TokenRepeated = 'token_repeated';
    /** The token is longer than max_token_bytes. */
    case TokenTooLarge = 'token_too_large';
    /** The text is not a JWT in compact serialization. */
    case TokenMalformed = 'token_malformed';
    /** The token's alg is not one of algorithms; add RS256 if Pomerium's signing key is RSA. */
    case AlgorithmNotAllowed = 'algorithm_not_allowed';
    /** The JOSE header has crit, or a typ other than JWT. */
    case HeaderUnsupported = 'header_unsupported';
    /** No key of the set fits the token: another deployment signed it, or its key was withdrawn. */
    case KeyNotFound = 'key_not_found';
    /** The signature is invalid: the token was altered or signed with another key. */
    case SignatureInvalid = 'signature_invalid';
    /** The signed payload is not a strict JSON object of well-typed claims. */
    case ClaimsMalformed = 'claims_malformed';
    /** The token has expired; if it was just issued, check the clocks. */
    case TokenExpired = 'token_expired';
    /** The token is not valid yet; check the clocks. */
    case TokenNotYetValid = 'token_not_yet_valid';
    /** The token was issued in the future; check the clocks. */
    case TokenIssuedInFuture = 'token_issued_in_future';
    /** The token was issued longer ago than max_token_age. */
    case TokenTooOld = 'token_too_old';
    /** iss is not an expected issuer; compare route or issuer with the message. */
    case IssuerMismatch = 'issuer_mismatch';
    /** The token is for another application; compare route or audience with the message. */
    case AudienceMismatch = 'audience_mismatch';
    /** Nobody is signed in: the route is public. Set allow_anonymous to let such requests in. */
    case SubjectMissing = 'subject_missing';
    /** A claim does not have a value that expect_claims accepts. */
    case ClaimMismatch = 'claim_mismatch';
    /** The signing keys could not be loaded; see the message and the status. Try again later. */
    case KeysUnavailable = 'keys_unavailable';
    /** The signing keys must be fetched first: refresh, then ask again with the ticket. */
    case KeysNeeded = 'keys_needed';
    /** The key set has no usable key: is signing_key set in Pomerium? */
    case KeysEmpty = 'keys_empty';
    /** The user is not in a group that require_group or the route demands. */
    case GroupRequired = 'group_required';
    /** A fault in this library or on this machine. */
    case Internal = 'internal';

    /** The stable number. */
    public function number(): int
    {
        return match ($this) {
            self::InvalidOptions => 1,
            self::InvalidArgument => 2,
            self::TokenMissing => 100,
            self::TokenRepeated => 101,
            self::TokenTooLarge => 102,
            self::TokenMalformed => 103,
            self::AlgorithmNotAllowed => 104,
            self::HeaderUnsupported => 105,
            self::KeyNotFound => 106,
            self::SignatureInvalid => 107,
            self::ClaimsMalformed => 108,
            self::TokenExpired => 109,
            self::TokenNotYetValid => 110,
            self::TokenIssuedInFuture => 111,
            self::TokenTooOld => 112,
            self::IssuerMismatch => 113,
            self::AudienceMismatch => 114,
            self::SubjectMissing => 115,
            self::ClaimMismatch => 116,
            self::KeysUnavailable => 200,
            self::KeysNeeded => 201,
            self::KeysEmpty => 202,
            self::GroupRequired => 300,
            self::Internal => 900,
        };
    }

    /** What the code is about; it decides the HTTP status. */
    public function kind(): Kind
    {
        return match ($this) {
            self::InvalidOptions => Kind::Options,
            self::InvalidArgument => Kind::Options,
            self::TokenMissing => Kind::Token,
            self::TokenRepeated => Kind::Token,
            self::TokenTooLarge => Kind::Token,
            self::TokenMalformed => Kind::Token,
            self::AlgorithmNotAllowed => Kind::Token,
            self::HeaderUnsupported => Kind::Token,
            self::KeyNotFound => Kind::Token,
            self::SignatureInvalid => Kind::Token,
            self::ClaimsMalformed => Kind::Token,
            self::TokenExpired => Kind::Token,
            self::TokenNotYetValid => Kind::Token,
            self::TokenIssuedInFuture => Kind::Token,
            self::TokenTooOld => Kind::Token,
            self::IssuerMismatch => Kind::Token,
            self::AudienceMismatch => Kind::Token,
            self::SubjectMissing => Kind::Token,
            self::ClaimMismatch => Kind::Token,
            self::KeysUnavailable => Kind::Keys,
            self::KeysNeeded => Kind::Keys,
            self::KeysEmpty => Kind::Keys,
            self::GroupRequired => Kind::Access,
            self::Internal => Kind::Internal,
        };
    }
}
