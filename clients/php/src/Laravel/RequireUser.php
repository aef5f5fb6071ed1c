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

/** What a route demands: `->middleware('pomerium.user')` lets in every signed-in user. */
final class RequireUser
{
    public function __construct(private readonly Guard $guard)
    {
    }

    public function handle(Request $request, Closure $next): Response
    {
        $identity = VerifyAssertion::identity($request);
        try {
            Demand::user($identity);
        } catch (VerifyException $refused) {
            return new RefusalResponse($this->guard->refuse($refused, $request->getPathInfo()));
        }
        return $next($request);
    }
}
