<?php

declare(strict_types=1);

namespace PomeriumJwt\HttpFoundation;

use PomeriumJwt\Request as Facts;
use Symfony\Component\HttpFoundation\Request;

/**
 * The facts of a request in Symfony and Laravel.
 *
 * @internal
 */
final class RequestFacts
{
    public static function of(Request $request, string $headerName): Facts
    {
        $facts = Facts::fromServer($request->server->all(), $headerName);
        return self::routesBy($request, $facts->path) ? $facts : new Facts($facts->token, '', $facts->upgrade);
    }

    /** Whether this path, which the client sent, is also what the router gets: a middleware in front may have changed it. */
    private static function routesBy(Request $request, string $path): bool
    {
        $base = $request->getBaseUrl();
        // Symfony also finds the script's name in the middle of a path, and takes everything up to it for the base
        if (!\str_starts_with((string) $request->server->get('SCRIPT_NAME'), $base)) {
            return false;
        }
        if ($base . $request->getPathInfo() !== $path) {
            return false;
        }
        // Behind a web server PHP's own variables are as the client sent them, whatever was changed in the request
        return \PHP_SAPI === 'cli' || ($_SERVER['REQUEST_URI'] ?? null) === $request->server->get('REQUEST_URI');
    }
}
