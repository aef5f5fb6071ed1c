<?php

declare(strict_types=1);

namespace PomeriumJwt\Symfony;

use Symfony\Component\HttpFoundation\RequestStack;
use Symfony\Component\Security\Core\Exception\UserNotFoundException;
use Symfony\Component\Security\Core\User\UserInterface;
use Symfony\Component\Security\Core\User\UserProviderInterface;

/**
 * Users who are nothing but the identity of the current request, with roles by their groups.
 */
final class PomeriumUserProvider implements UserProviderInterface
{
    /**
     * @param list<string> $defaultRoles
     * @param array<string, string> $groupMap the role of each group
     */
    public function __construct(
        private readonly RequestStack $requests,
        private readonly array $defaultRoles,
        private readonly array $groupMap,
        private readonly string $usernameClaim,
    ) {
    }

    public function loadUserByIdentifier(string $identifier): UserInterface
    {
        $identity = VerifyListener::identity($this->requests->getMainRequest());
        if ($identity === null || !$identity->isUser() || Username::of($identity, $this->usernameClaim) !== $identifier) {
            throw new UserNotFoundException('the request is not of this user');
        }
        $roles = $this->defaultRoles;
        foreach ($this->groupMap as $group => $role) {
            if ($identity->inGroup((string) $group)) {
                $roles[] = $role;
            }
        }
        return new PomeriumUser($identity, $identifier, \array_values(\array_unique($roles)));
    }

    public function refreshUser(UserInterface $user): UserInterface
    {
        return $this->loadUserByIdentifier($user->getUserIdentifier());
    }

    public function supportsClass(string $class): bool
    {
        return $class === PomeriumUser::class;
    }

    /** Symfony 5 asks for it. */
    public function loadUserByUsername(string $username): UserInterface
    {
        return $this->loadUserByIdentifier($username);
    }
}
