<?php

declare(strict_types=1);

namespace PomeriumJwt;

/**
 * The facts about a request that decide who gets in.
 */
final class Request
{
    /** What is not part of a header's value, though some servers hand it on. */
    private const BLANKS = " \t";

    /**
     * @param string $token all values of the header that carries the token, joined by commas; '' if there are none
     * @param string $path what the client sent, whole, undecoded and without the query; '', which is never exempt, if
     *     what comes later routes by anything else
     * @param bool $upgrade whether the request opens another protocol, such as a WebSocket
     * @param bool $markedPublic whether the host's own means mark the endpoint as public, which is known after routing
     */
    public function __construct(
        #[\SensitiveParameter]
        public readonly string $token,
        public readonly string $path = '',
        public readonly bool $upgrade = false,
        public readonly bool $markedPublic = false,
    ) {
    }

    /**
     * From what a web server gives PHP.
     *
     * @param array<string, mixed> $server such as $_SERVER
     * @param string $headerName Verifier::headerName()
     */
    public static function fromServer(array $server, string $headerName): self
    {
        return new self(
            \trim(self::token($server, $headerName), self::BLANKS),
            ($server['REQUEST_METHOD'] ?? '') === 'CONNECT' ? '' : self::pathOf((string) ($server['REQUEST_URI'] ?? '')),
            self::isUpgrade((string) ($server['HTTP_UPGRADE'] ?? '')),
        );
    }

    /** The path of a request target, '' if it has none: of `/a?b`, and of `http://host/a`. */
    public static function pathOf(string $target): string
    {
        $target = \explode('?', $target, 2)[0];
        if (\preg_match('~^[A-Za-z][A-Za-z0-9+.-]*://[^/]*~', $target, $found) === 1) {
            $target = \substr($target, \strlen($found[0]));
        }
        return \str_starts_with($target, '/') ? $target : '';
    }

    /** Whether the values of the header Upgrade, joined by commas, ask for another protocol. */
    public static function isUpgrade(string $values): bool
    {
        $value = \trim($values, self::BLANKS);
        return $value !== '' && \strcasecmp($value, 'h2c') !== 0;
    }

    private static function token(array $server, string $headerName): string
    {
        $name = 'HTTP_' . \strtoupper(\strtr($headerName, '-', '_'));
        if (isset($server[$name])) {
            return (string) $server[$name];
        }
        if (\strcasecmp($headerName, 'Authorization') !== 0) {
            return '';
        }
        // Apache keeps this one from PHP unless told otherwise, and renames what a RewriteRule has set
        for ($prefixed = "REDIRECT_$name"; \strlen($prefixed) < 100; $prefixed = "REDIRECT_$prefixed") {
            if (isset($server[$prefixed])) {
                return (string) $server[$prefixed];
            }
        }
        if ($server === $_SERVER && \function_exists('apache_request_headers')) {
            foreach (\apache_request_headers() as $sent => $value) {
                if (\strcasecmp((string) $sent, $headerName) === 0) {
                    return $value;
                }
            }
        }
        return '';
    }

    /** What var_dump and print_r show: no token. */
    public function __debugInfo(): array
    {
        return ['path' => $this->path, 'upgrade' => $this->upgrade, 'markedPublic' => $this->markedPublic];
    }
}
