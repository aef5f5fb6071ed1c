<?php

declare(strict_types=1);

namespace PomeriumJwt;

use RuntimeException;

/**
 * Why there is no verified identity. `status()`, `headers()` and `body()` are the response. The message is for logs and
 * never for the HTTP client: it may name expected issuers and key ids. It never quotes the token. `getCode()` is the
 * code's number.
 */
final class VerifyException extends RuntimeException
{
    /** @param array<string, string> $headers */
    private function __construct(
        private readonly Code $reason,
        string $message,
        private readonly ?int $retryAfter,
        private readonly array $headers,
        private readonly string $body,
    ) {
        parent::__construct($message, $reason->number());
    }

    /** The stable code. */
    public function code(): Code
    {
        return $this->reason;
    }

    /** What the code is about. */
    public function kind(): Kind
    {
        return $this->reason->kind();
    }

    /** The HTTP status of the response: 401, 403, 500 or 503. */
    public function status(): int
    {
        return $this->reason->kind()->status();
    }

    /** Seconds after which another attempt can succeed; null if time does not help. */
    public function retryAfter(): ?int
    {
        return $this->retryAfter;
    }

    /** @return array<string, string> the headers of the response */
    public function headers(): array
    {
        return $this->headers;
    }

    /** The body of the response, {"error":"token_expired"}: the code and nothing else. */
    public function body(): string
    {
        return $this->body;
    }

    /**
     * A refusal of your own with one of the codes, such as for a demand of a route.
     */
    public static function of(Code $code, string $message, ?int $retryAfter = null): self
    {
        $headers = ['Content-Type' => 'application/json', 'Cache-Control' => 'no-store'];
        if ($code->kind() === Kind::Token) {
            $headers['WWW-Authenticate'] = 'Bearer error="invalid_token"';
        }
        if ($retryAfter !== null) {
            $headers['Retry-After'] = (string) $retryAfter;
        }
        return new self($code, $message, $retryAfter, $headers, '{"error":"' . $code->value . '"}');
    }

    /**
     * From what the library writes of a refused request.
     *
     * @internal
     */
    public static function ofAdmission(string $document): self
    {
        $response = Json::decode($document);
        return new self(
            Code::tryFrom($response['code']) ?? Code::Internal,
            $response['message'],
            $response['retry_after'],
            $response['headers'],
            $response['body'],
        );
    }
}
