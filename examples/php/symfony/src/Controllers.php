<?php

declare(strict_types=1);

namespace App;

use PomeriumJwt\Demand;
use PomeriumJwt\Guard;
use PomeriumJwt\Symfony\VerifyListener;
use Symfony\Component\HttpFoundation\JsonResponse;
use Symfony\Component\HttpFoundation\Request;

final class Controllers
{
    public function __construct(private readonly Guard $guard)
    {
    }

    public function index(Request $request): JsonResponse
    {
        return self::json(VerifyListener::identity($request)); // null if the request passed without one
    }

    public function admin(Request $request): JsonResponse
    {
        return self::json(Demand::group(VerifyListener::identity($request), 'admins'));
    }

    public function health(): JsonResponse
    {
        return self::json($this->guard->verifier->health());
    }

    /** Everything else, to show that it was reached. */
    public function anything(Request $request): JsonResponse
    {
        return self::json(['reached' => true, 'subject' => VerifyListener::identity($request)?->subject]);
    }

    private static function json(mixed $value): JsonResponse
    {
        return new JsonResponse(json_encode($value, JSON_THROW_ON_ERROR), 200, [], true);
    }
}
