<?php

declare(strict_types=1);

namespace PomeriumJwt\HttpFoundation;

use PomeriumJwt\Refusal;
use Symfony\Component\HttpFoundation\Request;
use Symfony\Component\HttpFoundation\Response;
use Symfony\Component\HttpFoundation\ResponseHeaderBag;

/**
 * A refusal as a response of Symfony and Laravel.
 */
final class RefusalResponse extends Response
{
    public function __construct(Refusal $refusal)
    {
        parent::__construct($refusal->body, $refusal->status);
        $this->headers = new class ($refusal->headers) extends ResponseHeaderBag {
            /** As it is: Symfony's own adds `private` to `no-store`. */
            protected function computeCacheControlValue(): string
            {
                return $this->getCacheControlHeader();
            }
        };
    }

    /** As it is: Symfony would take a header that claims another method for the method. The server leaves out HEAD's body. */
    public function prepare(Request $request): static
    {
        return $this;
    }
}
