<?php

declare(strict_types=1);

namespace PomeriumJwt\Laravel;

use Closure;
use Illuminate\Http\Request;
use PomeriumJwt\Demand;
use PomeriumJwt\Guard;
use PomeriumJwt\HttpFoundation\RefusalResponse;
use PomeriumJwt\VerifyException;
use Symfony\Component\HttpFoundation\Response;

/**
 * What a route demands: `->middleware('pomerium.group:admins,staff')` lets in users of one of these groups.
 * Without a name it lets in nobody.
 */
final class RequireGroup
{
    public function __construct(private readonly Guard $guard)
    {
    }

    public function handle(Request $request, Closure $next, string ...$groups): Response
    {
        $identity = VerifyAssertion::identity($request);
        try {
            Demand::group($identity, ...$groups);
        } catch (VerifyException $refused) {
            return new RefusalResponse($this->guard->refuse($refused, $request->getPathInfo()));
        }
        return $next($request);
    }
}
