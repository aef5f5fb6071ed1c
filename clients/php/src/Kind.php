<?php

// Written by `make conformance` from the core: change core/src, not this file.

declare(strict_types=1);

namespace PomeriumJwt;

/**
 * What a code is about.
 */
enum Kind: string
{
    /** The application's configuration or call is wrong. */
    case Options = 'options';
    /** The token is refused. */
    case Token = 'token';
    /** There are no keys to judge the token with; try again later. */
    case Keys = 'keys';
    /** The user is known and may not do this. */
    case Access = 'access';
    /** A fault of the library or of the machine. */
    case Internal = 'internal';

    /** The HTTP status to answer with. */
    public function status(): int
    {
        return match ($this) {
            self::Options => 500,
            self::Token => 401,
            self::Keys => 503,
            self::Access => 403,
            self::Internal => 500,
        };
    }
}
