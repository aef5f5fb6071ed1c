<?php

declare(strict_types=1);

namespace PomeriumJwt;

/**
 * The response to a refused request: all that the client may be told.
 */
final class Refusal
{
    /**
     * @param int $status 401, 403, 500 or 503
     * @param array<string, string> $headers
     */
    public function __construct(
        public readonly Code $code,
        public readonly int $status,
        public readonly array $headers,
        public readonly string $body,
    ) {
    }
}
