<?php

declare(strict_types=1);

namespace PomeriumJwt\Tests;

use RuntimeException;

/**
 * Requests over real sockets.
 */
final class Http
{
    /**
     * @param string $token '' for none
     * @param list<string> $headers
     *
     * @return array{int, string} status and body
     */
    public static function get(string $url, string $token = '', array $headers = [], string $method = 'GET'): array
    {
        if ($token !== '') {
            $headers[] = "X-Pomerium-Jwt-Assertion: $token";
        }
        $http = ['method' => $method, 'header' => $headers, 'ignore_errors' => true, 'follow_location' => 0];
        $body = \file_get_contents($url, false, \stream_context_create(['http' => $http]));
        \preg_match('~^HTTP/\S+ (\d+)~', $http_response_header[0], $found);
        return [(int) $found[1], $body];
    }

    public static function freePort(): int
    {
        $server = \stream_socket_server('tcp://127.0.0.1:0');
        return (int) \explode(':', \stream_socket_get_name($server, false))[1];
    }

    /** Returns when the server accepts connections. */
    public static function await(int $port, Process $server): void
    {
        while (($connection = @\stream_socket_client("tcp://127.0.0.1:$port")) === false) {
            if (!$server->runs()) {
                throw new RuntimeException("the server has ended: {$server->errors()}");
            }
            \usleep(10_000);
        }
        \fclose($connection);
    }
}
