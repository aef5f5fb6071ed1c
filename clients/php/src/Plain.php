<?php

declare(strict_types=1);

namespace PomeriumJwt;

/**
 * What the functions share in one request.
 *
 * @internal
 */
final class Plain
{
    public static ?Guard $guard = null;
}
