<?php

declare(strict_types=1);

namespace PomeriumJwt;

use Closure;
use Psr\Log\LoggerInterface;
use Throwable;

/**
 * What all integrations share: asks the verifier, logs, and renders refusals. It holds no rule about who gets in.
 */
final class Guard
{
    /** What of a path is written, in bytes: clients choose how long they are. */
    private const LONGEST_PATH = 200;

    private readonly ?Closure $errorHandler;
    private readonly ?Closure $onRefused;

    /**
     * Logs what the verifier accepts, once in a process.
     *
     * @param ?LoggerInterface $logger error_log() without one
     * @param ?callable $errorHandler function (Refusal): array{string, string} gives a content type and a body; the
     *     status and the other headers stay, and it can let nobody in
     * @param ?callable $onRefused function (Code, string $message, string $path) is called for each refusal instead of
     *     a warning, of which there is at most one a second for each code in a process
     */
    public function __construct(
        public readonly Verifier $verifier,
        private readonly ?LoggerInterface $logger = null,
        ?callable $errorHandler = null,
        ?callable $onRefused = null,
    ) {
        $this->errorHandler = $errorHandler === null ? null : $errorHandler(...);
        $this->onRefused = $onRefused === null ? null : $onRefused(...);
        if ($verifier->logDue(null) !== null) {
            $this->log('info', $verifier->summary());
            if ($verifier->warning() !== null) {
                $this->log('warning', $verifier->warning());
            }
        }
    }

    /**
     * The identity; null for a request that passes without one.
     *
     * @throws VerifyException to be given to refuse()
     */
    public function admit(Request $request): ?Identity
    {
        return $this->verifier->admit($request);
    }

    /**
     * Reports a refusal and gives the response to send. To be called once for each.
     *
     * @param string $path for people to read
     */
    public function refuse(VerifyException $refused, string $path): Refusal
    {
        $this->report($refused, $path);
        $plain = self::plain($refused);
        if ($this->errorHandler === null) {
            return $plain;
        }
        try {
            return $this->rendered($plain, ...($this->errorHandler)($plain));
        } catch (Throwable $why) {
            $this->log('error', 'the error handler failed, so a refusal is rendered without it: ' . $why->getMessage());
            return $plain;
        }
    }

    /** The response without a handler, and without a line in the log. */
    public static function plain(VerifyException $refused): Refusal
    {
        return new Refusal($refused->code(), $refused->status(), $refused->headers(), $refused->body());
    }

    private function rendered(Refusal $plain, string $contentType, string $body): Refusal
    {
        return new Refusal($plain->code, $plain->status, ['Content-Type' => $contentType] + $plain->headers, $body);
    }

    private function report(VerifyException $refused, string $path): void
    {
        $code = $refused->code();
        if ($this->onRefused !== null) {
            ($this->onRefused)($code, $refused->getMessage(), $path);
            return;
        }
        $held = $this->verifier->logDue($code);
        if ($held === null) {
            return;
        }
        // A path cannot write a line of its own into the log
        $shown = \addcslashes(\substr($path, 0, self::LONGEST_PATH), "\0..\37\177..\377\"\\");
        $more = $held > 0 ? " ($held more since the last such line)" : '';
        $this->log('warning', "refused \"$shown\": $code->value: {$refused->getMessage()}$more");
    }

    private function log(string $level, string $line): void
    {
        if ($this->logger !== null) {
            $this->logger->log($level, "pomerium-jwt: $line");
        } else {
            \error_log("pomerium-jwt: $line");
        }
    }
}
