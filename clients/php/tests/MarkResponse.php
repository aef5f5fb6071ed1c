<?php

declare(strict_types=1);

namespace PomeriumJwt\Tests;

use Symfony\Component\HttpKernel\Event\ResponseEvent;

/**
 * Sets a header on every response, as CORS listeners do.
 */
final class MarkResponse
{
    public function mark(ResponseEvent $event): void
    {
        $event->getResponse()->headers->set('X-Marked', 'yes');
    }
}
