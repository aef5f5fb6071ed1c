<?php

declare(strict_types=1);

namespace PomeriumJwt;

use Psr\Log\LoggerInterface;

/**
 * Lets verified requests pass and answers the others itself, for applications without a framework: call it before
 * anything else. Gives the identity; null for a request that passes without one, which the options `exempt_paths` and
 * `optional` allow.
 *
 * Options are laid over those of the environment, POMERIUM_JWT_ROUTE and so on. With wrong options no request gets in:
 * the answer is 500, and the log says what to write.
 *
 * @param Options|array<string, mixed> $options
 * @param ?Verifier $verifier one made before; then neither options nor the environment are read
 * @param ?callable $errorHandler as in Guard
 * @param ?callable $onRefused as in Guard
 */
function protect(
    Options|array $options = [],
    ?Verifier $verifier = null,
    ?LoggerInterface $logger = null,
    ?callable $errorHandler = null,
    ?callable $onRefused = null,
): ?Identity {
    try {
        if ($verifier !== null && $options !== []) {
            $why = 'protect() got a verifier, which has its options already: leave them out';
            throw VerifyException::of(Code::InvalidOptions, $why);
        }
        $verifier ??= Verifier::overEnvironment($options);
    } catch (VerifyException $wrong) {
        \error_log("pomerium-jwt: {$wrong->getMessage()}");
        send(Guard::plain($wrong));
    }
    Plain::$guard = new Guard($verifier, $logger, $errorHandler, $onRefused);
    try {
        return Plain::$guard->admit(Request::fromServer($_SERVER, $verifier->headerName()));
    } catch (VerifyException $refused) {
        refuse($refused);
    }
}

/**
 * Answers with a refusal, such as one of Demand::group(), and ends the script.
 */
function refuse(VerifyException $refused): never
{
    $path = Request::pathOf((string) ($_SERVER['REQUEST_URI'] ?? ''));
    send(Plain::$guard?->refuse($refused, $path) ?? Guard::plain($refused));
}

/**
 * The path, on the application's own host, at which a user signs out of Pomerium.
 *
 * @param ?string $returnTo the URL to go to afterwards. Pomerium 0.33 and later follows it only if its runtime flag
 *     `allow_any_sign_out_redirect_uri` is set; otherwise `signout_redirect_url` in Pomerium's own settings decides
 */
function logout_url(?string $returnTo = null): string
{
    $path = '/.pomerium/sign_out';
    return $returnTo === null ? $path : $path . '?pomerium_redirect_uri=' . \rawurlencode($returnTo);
}

/**
 * @internal
 */
function send(Refusal $refusal): never
{
    \http_response_code($refusal->status);
    foreach ($refusal->headers as $name => $value) {
        \header("$name: $value");
    }
    echo $refusal->body;
    exit;
}
