<?php

declare(strict_types=1);

namespace App;

use Closure;
use Illuminate\Http\Request;

/**
 * A middleware in front that changes paths: what it makes exempt is not. For tests.
 */
final class RewritePath
{
    public function handle(Request $request, Closure $next): mixed
    {
        [$before, $after] = explode('=', (string) getenv('REWRITE'));
        if ($request->getPathInfo() === $before) {
            $server = ['REQUEST_URI' => $after] + $request->server->all();
            $request = $request->duplicate(null, null, null, null, null, $server);
        }
        return $next($request);
    }
}
