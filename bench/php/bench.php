<?php

// PHP next to what firebase/php-jwt does in its decode(), done by hand over openssl_verify with the key parsed before. Both
// read the e-mail and the groups, of 64 different tokens. Prints microseconds, the best of 7 runs that take turns; they go
// to bench/php.json in Cargo's target directory too.

declare(strict_types=1);

use PomeriumJwt\Loader;
use PomeriumJwt\Native;
use PomeriumJwt\Testing\TestIssuer;
use PomeriumJwt\Verifier;

require __DIR__ . '/../../clients/php/autoload.php';

const TOKENS = 64;
const RUNS = 7;
const ROUNDS = 40;

function base64url(string $text): string
{
    return base64_decode(strtr($text, '-_', '+/') . str_repeat('=', -strlen($text) & 3), true);
}

/** The signature as OpenSSL wants it, as in JWT::signatureToDER. */
function der(string $signature): string
{
    $number = static function (string $bytes): string {
        $bytes = ltrim($bytes, "\0");
        $bytes = ord($bytes[0]) > 0x7f ? "\0$bytes" : $bytes;
        return "\x02" . chr(strlen($bytes)) . $bytes;
    };
    [$r, $s] = str_split($signature, 32);
    $both = $number($r) . $number($s);
    return "\x30" . chr(strlen($both)) . $both;
}

/** As JWT::decode with an array of keys, then the checks that its users are told to write. */
function decode(string $token, array $keys, string $route): object
{
    $parts = explode('.', $token);
    if (count($parts) !== 3) {
        throw new UnexpectedValueException('Wrong number of segments');
    }
    $header = json_decode(base64url($parts[0]), false, 512, JSON_BIGINT_AS_STRING);
    $payload = json_decode(base64url($parts[1]), false, 512, JSON_BIGINT_AS_STRING);
    if ($header === null || $payload === null || $header->alg !== 'ES256' || !isset($keys[$header->kid])) {
        throw new UnexpectedValueException('Invalid token');
    }
    $signature = der(base64url($parts[2]));
    if (openssl_verify("$parts[0].$parts[1]", $signature, $keys[$header->kid], 'SHA256') !== 1) {
        throw new UnexpectedValueException('Signature verification failed');
    }
    $now = time();
    if ((isset($payload->nbf) && floor($payload->nbf) > $now) || (isset($payload->iat) && floor($payload->iat) > $now)) {
        throw new UnexpectedValueException('Cannot handle token yet');
    }
    if (isset($payload->exp) && $now >= $payload->exp) {
        throw new UnexpectedValueException('Expired token');
    }
    if ($payload->iss !== $route || $payload->aud !== $route) {
        throw new UnexpectedValueException('Another audience');
    }
    return $payload;
}

/** Microseconds for each of these calls, by name: the best run of each. */
function measured(array $calls, array $tokens): array
{
    $best = array_fill_keys(array_keys($calls), INF);
    for ($run = 0; $run < RUNS; $run++) {
        foreach ($calls as $name => $call) {
            $begin = hrtime(true);
            for ($round = 0; $round < ROUNDS; $round++) {
                foreach ($tokens as $token) {
                    $call($token);
                }
            }
            $best[$name] = min($best[$name], (hrtime(true) - $begin) / 1e3 / ROUNDS / count($tokens));
        }
    }
    return $best;
}

$issuer = new TestIssuer();
$groups = ['admins', 'staff', 'engineering@example.com'];
$token = static function (int $n) use ($issuer, $groups): string {
    return $issuer->mint(['sub' => "user$n", 'jti' => bin2hex(random_bytes(16)), 'groups' => $groups]);
};
$tokens = array_map($token, range(1, TOKENS));
$verifier = Verifier::of($issuer->options());
$keys = [$issuer->kid() => openssl_pkey_get_public($issuer->publicKey())];
$native = Native::load();
$options = $issuer->options();
[, , $pointer] = $native->verifier(json_encode($issuer->options()->toArray()), true);

$times = measured([
    'ours' => static function (string $token) use ($verifier): void {
        $identity = $verifier->verify($token);
        [$identity->email, $identity->groups] === ['', []] && throw new LogicException();
    },
    'firebase/php-jwt by hand' => static function (string $token) use ($keys): void {
        $payload = decode($token, $keys, 'app.example.com');
        [$payload->email, $payload->groups] === ['', []] && throw new LogicException();
    },
    'ours, the library with its two texts' => static fn (string $token) => $native->verify($pointer, $token),
    'ours, an FFI call that does nothing' => static fn (string $token) => $native->version(),
    'each request: declaring the library' => static fn (string $token) => Loader::load(),
    'each request: options over the environment' => static fn (string $token) => Verifier::overEnvironment($options),
], $tokens);

echo 'PHP ', PHP_VERSION, ', ', TOKENS, ' tokens of ', strlen($tokens[0]), " bytes\n";
foreach ($times as $name => $microseconds) {
    printf("%-44s %7.1f µs\n", $name, $microseconds);
}
$times_faster = $times['firebase/php-jwt by hand'] / $times['ours'];
printf("\n%.1f times as fast as firebase/php-jwt's work\n", $times_faster);
$folder = (getenv('CARGO_TARGET_DIR') ?: __DIR__ . '/../../target') . '/bench';
is_dir($folder) || mkdir($folder, 0777, true);
file_put_contents("$folder/php.json", json_encode($times, JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES) . "\n");
exit($times_faster >= 3 ? 0 : 1);
