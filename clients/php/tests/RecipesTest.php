<?php

declare(strict_types=1);

namespace PomeriumJwt\Tests;

use PHPUnit\Framework\TestCase;

/**
 * The recipes of examples/php/recipes, against the few hooks of WordPress and Nextcloud that they use.
 */
final class RecipesTest extends TestCase
{
    private Issuer $issuer;
    private Process $server;
    private string $url;

    protected function setUp(): void
    {
        $this->issuer = new Issuer();
        $port = Http::freePort();
        $prepend = \realpath(REPOSITORY . '/examples/php/recipes/protect.php');
        $this->server = new Process(
            [PHP_BINARY, '-d', 'ffi.enable=true', '-d', "auto_prepend_file=$prepend", '-S', "127.0.0.1:$port"],
            ['POMERIUM_JWT_ROUTE' => $this->issuer->url, 'POMERIUM_JWT_EXEMPT_PATHS' => '/wordpress.php,/nextcloud.php'],
            __DIR__ . '/recipes'
        );
        Http::await($port, $this->server);
        $this->url = "http://127.0.0.1:$port";
    }

    public function testNoScriptIsReachedUnverified(): void
    {
        self::assertSame([401, '{"error":"token_missing"}'], Http::get("$this->url/wordpress.php/wp-admin"));
        self::assertSame([401, '{"error":"token_malformed"}'], Http::get("$this->url/nextcloud.php/apps", 'x.y.z'));
    }

    /** @dataProvider wordpressUsers */
    public function testWordpress(?string $claims, string $cookie, int|false $user, ?string $given = null): void
    {
        $answer = $this->ask('/wordpress.php', $claims, $cookie);
        self::assertSame(['user' => $user, 'given' => $given, 'out' => '/.pomerium/sign_out'], $answer);
    }

    public static function wordpressUsers(): array
    {
        return [
            'known' => ['email=alice@example.com', '', 1],
            'known, with a cookie of somebody else' => ['email=alice@example.com', 'wordpress=7', 1],
            'new' => ['email=bob@example.com', '', 2, 'subscriber'],
            'new, in the group' => ['email=bob@example.com&groups=admins', '', 2, 'administrator'],
            'new to the group' => ['email=alice@example.com&groups=admins', '', 1, 'administrator'],
            'in the group as before' => ['email=root@example.com&groups=admins', '', 3],
            'not in the group any more' => ['email=root@example.com&groups=others', '', 3, 'subscriber'],
            'without an address' => ['email=', 'wordpress=7', false],
            'passed' => [null, 'wordpress=7', false],
        ];
    }

    /** @dataProvider nextcloudUsers */
    public function testNextcloud(?string $claims, string $cookie, ?string $user, string $happened): void
    {
        $answer = $this->ask('/nextcloud.php', $claims, $cookie);
        self::assertSame(['user' => $user, 'happened' => $happened], $answer);
    }

    public static function nextcloudUsers(): array
    {
        return [
            'the first request' => ['email=alice@example.com', '', 'a1', 'in'],
            'the next one' => ['email=alice@example.com', 'session=a1', 'a1', ''],
            'a session of somebody else' => ['email=alice@example.com', 'session=root', 'a1', 'out in'],
            'unknown' => ['email=bob@example.com', 'session=root', null, 'out'],
            'disabled' => ['email=left@example.com', '', null, ''],
            'two with one address' => ['email=twice@example.com', '', null, ''],
            'passed' => [null, 'session=root', null, 'out'],
        ];
    }

    /** With a token the path is one that is not exempt. */
    private function ask(string $path, ?string $claims, string $cookie): array
    {
        $token = $claims === null ? '' : $this->issuer->mint($claims);
        $url = $this->url . $path . ($claims === null ? '' : '/index');
        [$status, $body] = Http::get($url, $token, $cookie === '' ? [] : ["Cookie: $cookie"]);
        self::assertSame(200, $status, $body . $this->server->errors());
        return \json_decode($body, true);
    }
}
