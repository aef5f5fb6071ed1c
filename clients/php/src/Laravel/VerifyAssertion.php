<?php

declare(strict_types=1);

namespace PomeriumJwt\Laravel;

use Closure;
use Illuminate\Contracts\Container\Container;
use Illuminate\Http\Request;
use Illuminate\Pipeline\Pipeline;
use PomeriumJwt\Guard;
use PomeriumJwt\HttpFoundation\RefusalResponse;
use PomeriumJwt\HttpFoundation\RequestFacts;
use PomeriumJwt\Identity;
use PomeriumJwt\VerifyException;
use Symfony\Component\HttpFoundation\Response;

/**
 * The global middleware, which the service provider puts in front of all others: lets verified requests pass and answers
 * the others itself. What the option `front` of config/pomerium.php names stands before it.
 */
final class VerifyAssertion
{
    private const ATTRIBUTE = 'pomerium';

    public function __construct(private readonly Container $container)
    {
    }

    public function handle(Request $request, Closure $next): Response
    {
        $front = $this->container->make('config')->get('pomerium.front');
        $verified = fn (Request $request): Response => $this->verify($request, $next);
        return $front === [] ? $verified($request)
            : (new Pipeline($this->container))->send($request)->through($front)->then($verified);
    }

    /** Who sent this request: null if it passed without an identity, or was not verified. */
    public static function identity(Request $request): ?Identity
    {
        $found = $request->attributes->get(self::ATTRIBUTE);
        return $found instanceof Identity ? $found : null;
    }

    private function verify(Request $request, Closure $next): Response
    {
        $guard = $this->container->make(Guard::class);
        $request->attributes->remove(self::ATTRIBUTE);
        try {
            $identity = $guard->admit(RequestFacts::of($request, $guard->verifier->headerName()));
        } catch (VerifyException $refused) {
            return new RefusalResponse($guard->refuse($refused, $request->getPathInfo()));
        }
        $request->attributes->set(self::ATTRIBUTE, $identity);
        return $next($request);
    }
}
