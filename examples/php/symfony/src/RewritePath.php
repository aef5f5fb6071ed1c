<?php

declare(strict_types=1);

namespace App;

use Symfony\Component\HttpKernel\Event\RequestEvent;

/**
 * A listener in front that changes paths: what it makes exempt is not. For tests.
 */
final class RewritePath
{
    public function rewrite(RequestEvent $event): void
    {
        [$before, $after] = explode('=', getenv('REWRITE') ?: '=');
        $request = $event->getRequest();
        if ($before !== '' && $request->getPathInfo() === $before) {
            $server = ['REQUEST_URI' => $after] + $request->server->all();
            $request->initialize($request->query->all(), [], [], $request->cookies->all(), [], $server);
        }
    }
}
