<?php

declare(strict_types=1);

namespace PomeriumJwt\Symfony;

use PomeriumJwt\Identity;

/**
 * The name by which a user provider finds a user.
 *
 * @internal
 */
final class Username
{
    public static function of(Identity $identity, string $claim): ?string
    {
        $name = $claim === 'sub' ? $identity->subject : ($identity->claims()[$claim] ?? null);
        return \is_string($name) && $name !== '' ? $name : null;
    }
}
