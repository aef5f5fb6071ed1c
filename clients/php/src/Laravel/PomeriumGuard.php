<?php

declare(strict_types=1);

namespace PomeriumJwt\Laravel;

use Illuminate\Auth\GuardHelpers;
use Illuminate\Contracts\Auth\Authenticatable;
use Illuminate\Contracts\Auth\Guard;
use Illuminate\Http\Request;

/**
 * The guard driver `pomerium`: the user of the request that the middleware has verified, in each request again. It
 * verifies nothing itself: without the middleware there is no user.
 */
final class PomeriumGuard implements Guard
{
    use GuardHelpers;

    public function __construct(private readonly Accounts $accounts, private Request $request)
    {
    }

    public function user(): ?Authenticatable
    {
        if ($this->user === null) {
            $identity = VerifyAssertion::identity($this->request);
            $this->user = $identity?->isUser() ? $this->accounts->of($identity) : null;
        }
        return $this->user;
    }

    /** Nobody signs in here with a password. */
    public function validate(array $credentials = []): bool
    {
        return false;
    }

    public function setRequest(Request $request): void
    {
        $this->request = $request;
        $this->user = null;
    }
}
