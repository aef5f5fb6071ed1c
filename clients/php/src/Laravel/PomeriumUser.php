<?php

declare(strict_types=1);

namespace PomeriumJwt\Laravel;

use Illuminate\Contracts\Auth\Authenticatable;
use PomeriumJwt\Identity;

/**
 * The user of an application that keeps no users of its own.
 */
final class PomeriumUser implements Authenticatable
{
    public function __construct(public readonly Identity $identity)
    {
    }

    public function getAuthIdentifierName(): string
    {
        return 'subject';
    }

    public function getAuthIdentifier(): string
    {
        return $this->identity->subject;
    }

    public function getAuthPasswordName(): string
    {
        return 'password';
    }

    /** There is none: Pomerium has signed the user in. */
    public function getAuthPassword(): string
    {
        return '';
    }

    public function getRememberToken(): string
    {
        return '';
    }

    public function setRememberToken($value): void
    {
    }

    public function getRememberTokenName(): string
    {
        return '';
    }
}
