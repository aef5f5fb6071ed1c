<?php

declare(strict_types=1);

namespace PomeriumJwt\Laravel;

use Closure;
use Illuminate\Http\Request;
use Symfony\Component\HttpFoundation\Response;

/**
 * In the group `web`, after the session has started: a session belongs to the user with whom it began. If another user
 * is signed in now, it ends and an empty one begins.
 */
final class CompareSession
{
    private const KEY = 'pomerium_subject';

    public function handle(Request $request, Closure $next): Response
    {
        $subject = VerifyAssertion::identity($request)?->subject;
        if ($subject !== null && $request->hasSession()) {
            $session = $request->session();
            $before = $session->get(self::KEY, $subject);
            if ($before !== $subject) {
                $session->invalidate();
                $session->regenerateToken();
            }
            $session->put(self::KEY, $subject);
        }
        return $next($request);
    }
}
