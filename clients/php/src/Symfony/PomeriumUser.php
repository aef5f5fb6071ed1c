<?php

declare(strict_types=1);

namespace PomeriumJwt\Symfony;

use PomeriumJwt\Identity;
use Symfony\Component\Security\Core\User\UserInterface;

/**
 * The user of an application that keeps no users of its own.
 */
final class PomeriumUser implements UserInterface
{
    /** @param list<string> $roles */
    public function __construct(
        public readonly Identity $identity,
        private readonly string $name,
        private readonly array $roles,
    ) {
    }

    public function getUserIdentifier(): string
    {
        return $this->name;
    }

    public function getRoles(): array
    {
        return $this->roles;
    }

    public function eraseCredentials(): void
    {
    }

    /** Symfony 5 asks for these three. */
    public function getUsername(): string
    {
        return $this->name;
    }

    public function getPassword(): ?string
    {
        return null;
    }

    public function getSalt(): ?string
    {
        return null;
    }
}
