<?php

declare(strict_types=1);

namespace PomeriumJwt\Tests;

use PHPUnit\Framework\TestCase;
use PomeriumJwt\Request;

/**
 * What is read from $_SERVER, with the ways in which servers differ.
 */
final class RequestTest extends TestCase
{
    /** @dataProvider tokens */
    public function testToken(array $server, string $headerName, string $token): void
    {
        self::assertSame($token, Request::fromServer($server, $headerName)->token);
    }

    public static function tokens(): array
    {
        $name = 'X-Pomerium-Jwt-Assertion';
        return [
            'none' => [[], $name, ''],
            'empty' => [['HTTP_X_POMERIUM_JWT_ASSERTION' => ''], $name, ''],
            'one' => [['HTTP_X_POMERIUM_JWT_ASSERTION' => 'a.b.c'], $name, 'a.b.c'],
            'joined' => [['HTTP_X_POMERIUM_JWT_ASSERTION' => 'a.b.c, a.b.c'], $name, 'a.b.c, a.b.c'],
            'blanks' => [['HTTP_X_POMERIUM_JWT_ASSERTION' => " a.b.c\t"], $name, 'a.b.c'],
            'an internal redirect' => [['REDIRECT_HTTP_X_POMERIUM_JWT_ASSERTION' => 'a.b.c'], $name, ''],
            'not a header' => [['X_POMERIUM_JWT_ASSERTION' => 'a.b.c', 'X-Pomerium-Jwt-Assertion' => 'a.b.c'], $name, ''],
            'another' => [['HTTP_X_POMERIUM_JWT_ASSERTION_FOR' => 'a.b.c', 'HTTP_AUTHORIZATION' => 'a.b.c'], $name, ''],
            'authorization' => [['HTTP_AUTHORIZATION' => 'Bearer a.b.c'], 'authorization', 'Bearer a.b.c'],
            'by a rewrite rule' => [['REDIRECT_HTTP_AUTHORIZATION' => 'a.b.c'], 'Authorization', 'a.b.c'],
            'by two' => [['REDIRECT_REDIRECT_HTTP_AUTHORIZATION' => 'a.b.c'], 'Authorization', 'a.b.c'],
            'an empty one is there' => [
                ['HTTP_AUTHORIZATION' => '', 'REDIRECT_HTTP_AUTHORIZATION' => 'a.b.c'],
                'Authorization',
                '',
            ],
        ];
    }

    /** @dataProvider paths */
    public function testPath(string $target, string $path): void
    {
        self::assertSame($path, Request::fromServer(['REQUEST_URI' => $target], 'X-A')->path);
    }

    public static function paths(): array
    {
        $cases = [
            ['/a/b', '/a/b'], ['/a?/b', '/a'], ['/%61', '/%61'], ['//a', '//a'], ['/a#b', '/a#b'], ['', ''], ['*', ''],
            ['a', ''], ['?/a', ''], ['http://host/a?b', '/a'], ['HTTP://host/a', '/a'], ['http://host', ''],
            ['http://host?/a', ''], ['http://host:80/http://b/c', '/http://b/c'], ['host:443', ''], ['http:/a', ''],
            ["/a\0", "/a\0"], ['\\a', ''], ['1http://host/a', ''],
        ];
        return \array_combine(\array_column($cases, 0), $cases);
    }

    public function testConnectHasNoPath(): void
    {
        self::assertSame('', Request::fromServer(['REQUEST_METHOD' => 'CONNECT', 'REQUEST_URI' => '/a'], 'X-A')->path);
    }

    public function testNoTargetIsNoPath(): void
    {
        self::assertSame('', Request::fromServer(['PATH_INFO' => '/a', 'SCRIPT_NAME' => '/a'], 'X-A')->path);
    }

    public function testUpgrades(): void
    {
        foreach (['websocket', 'WebSocket', 'h2c, websocket', ',', 'h2c,', 'tls/1.0'] as $value) {
            self::assertTrue(Request::fromServer(['HTTP_UPGRADE' => $value], 'X-A')->upgrade, $value);
        }
        foreach (['', ' ', 'h2c', "\tH2C "] as $value) {
            self::assertFalse(Request::fromServer(['HTTP_UPGRADE' => $value], 'X-A')->upgrade, $value);
        }
    }
}
