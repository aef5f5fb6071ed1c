<?php

declare(strict_types=1);

namespace PomeriumJwt\Laravel;

use Closure;
use Illuminate\Contracts\Auth\Authenticatable;
use Illuminate\Contracts\Auth\UserProvider;
use Illuminate\Database\Eloquent\Model;
use PomeriumJwt\Identity;

/**
 * Whose account an identity is: by a function of the application, else in the guard's user provider, else the identity
 * itself.
 */
final class Accounts
{
    private static ?Closure $resolver = null;

    /**
     * @param array<string, mixed> $settings `account` of config/pomerium.php
     */
    public function __construct(private readonly ?UserProvider $users, private readonly array $settings)
    {
    }

    /**
     * Finds accounts with this function instead: the identity of a signed-in user -> the account, or null for none.
     *
     * @param ?callable(Identity): ?Authenticatable $resolver
     */
    public static function resolveUsing(?callable $resolver): void
    {
        self::$resolver = $resolver === null ? null : $resolver(...);
    }

    public function of(Identity $identity): ?Authenticatable
    {
        if (self::$resolver !== null) {
            return (self::$resolver)($identity);
        }
        if ($this->users === null) {
            return new PomeriumUser($identity);
        }
        $claims = $identity->toArray() + $identity->claims();
        $name = $this->claim($claims, 'username_claim');
        if (!\is_string($name) || $name === '') {
            return null; // who has no name is nobody's account
        }
        $user = $this->users->retrieveByCredentials([$this->settings['username_column'] => $name]);
        if ($user === null && $this->settings['auto_sign_up'] && \method_exists($this->users, 'createModel')) {
            $user = $this->users->createModel()->forceFill([$this->settings['username_column'] => $name]);
        }
        return $user instanceof Model ? $this->synchronised($user, $claims) : $user;
    }

    /** Writes what has changed. */
    private function synchronised(Model $user, array $claims): Authenticatable
    {
        foreach (['email', 'name', 'groups'] as $what) {
            $column = $this->settings["{$what}_column"];
            if ($column !== null) {
                $value = $this->claim($claims, "{$what}_claim");
                $user->setAttribute($column, \is_array($value) && !$user->hasCast($column) ? \json_encode($value) : $value);
            }
        }
        if (!$user->exists || $user->isDirty()) {
            $user->save();
        }
        return $user;
    }

    private function claim(array $claims, string $setting): mixed
    {
        $name = $this->settings[$setting];
        return $claims[$name === 'sub' ? 'subject' : $name] ?? null;
    }
}
