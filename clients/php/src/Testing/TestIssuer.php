<?php

declare(strict_types=1);

namespace PomeriumJwt\Testing;

use OpenSSLAsymmetricKey;
use PomeriumJwt\Options;

/**
 * Signs tokens as Pomerium does, for tests of applications: they are verified like real ones. Needs the extension
 * openssl.
 */
final class TestIssuer
{
    private readonly OpenSSLAsymmetricKey $key;
    /** @var array{x: string, y: string} */
    private readonly array $point;

    public function __construct(public readonly string $route = 'https://app.example.com')
    {
        $this->key = \openssl_pkey_new(['private_key_type' => OPENSSL_KEYTYPE_EC, 'curve_name' => 'prime256v1']);
        $this->point = \openssl_pkey_get_details($this->key)['ec'];
    }

    /** Options of a verifier that trusts this issuer. */
    public function options(): Options
    {
        return new Options($this->route, jwks: ['keys' => [$this->jwk()]]);
    }

    /**
     * The environment of an application that trusts this issuer.
     *
     * @return array<string, string>
     */
    public function environment(): array
    {
        $jwks = \json_encode(['keys' => [$this->jwk()]], JSON_UNESCAPED_SLASHES);
        return ['POMERIUM_JWT_ROUTE' => $this->route, 'POMERIUM_JWT_JWKS' => $jwks];
    }

    /**
     * A token of alice, valid for five minutes.
     *
     * @param array<string, mixed> $claims others, or instead of those that it has
     */
    public function mint(array $claims = []): string
    {
        $host = \parse_url($this->route, PHP_URL_HOST);
        $subject = $claims['sub'] ?? 'alice';
        $claims += [
            'iss' => $host, 'aud' => $host, 'sub' => $subject, 'user' => $subject, 'email' => "$subject@example.com",
            'name' => \ucfirst($subject), 'groups' => [], 'iat' => \time(), 'exp' => \time() + 300,
        ];
        $header = ['alg' => 'ES256', 'kid' => $this->kid(), 'typ' => 'JWT'];
        $input = self::base64url(\json_encode($header)) . '.' . self::base64url(\json_encode($claims, JSON_THROW_ON_ERROR));
        \openssl_sign($input, $signature, $this->key, OPENSSL_ALGO_SHA256);
        return $input . '.' . self::base64url(self::concatenated($signature));
    }

    /** The public key as PEM. */
    public function publicKey(): string
    {
        return \openssl_pkey_get_details($this->key)['key'];
    }

    private function jwk(): array
    {
        $known = ['kty' => 'EC', 'crv' => 'P-256', 'alg' => 'ES256', 'use' => 'sig', 'kid' => $this->kid()];
        return $known + $this->coordinates();
    }

    /** The thumbprint of RFC 7638, as Pomerium's key ids are. */
    public function kid(): string
    {
        ['x' => $x, 'y' => $y] = $this->coordinates();
        return \hash('sha256', "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"$x\",\"y\":\"$y\"}");
    }

    private function coordinates(): array
    {
        $coordinate = static fn (string $bytes): string => self::base64url(\str_pad($bytes, 32, "\0", STR_PAD_LEFT));
        return ['x' => $coordinate($this->point['x']), 'y' => $coordinate($this->point['y'])];
    }

    /** r and s next to each other (RFC 7518, section 3.4), out of OpenSSL's DER. */
    private static function concatenated(string $der): string
    {
        $length = \ord($der[3]);
        $numbers = [\substr($der, 4, $length), \substr($der, 6 + $length)];
        return \implode(\array_map(
            static fn (string $number): string => \str_pad(\ltrim($number, "\0"), 32, "\0", STR_PAD_LEFT),
            $numbers
        ));
    }

    private static function base64url(string $bytes): string
    {
        return \rtrim(\strtr(\base64_encode($bytes), '+/', '-_'), '=');
    }
}
