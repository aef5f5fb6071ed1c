<?php

declare(strict_types=1);

namespace PomeriumJwt\Tests;

use PHPUnit\Framework\TestCase;

/**
 * The plain example under the servers that PHP has.
 */
final class ServersTest extends TestCase
{
    private const EXAMPLES = REPOSITORY . '/examples/php';
    private const OK = '{"reached":true,"subject":"alice"}';

    private Issuer $issuer;

    protected function setUp(): void
    {
        $this->issuer = new Issuer();
    }

    public function testOneFetchForAHundredRequestsOfOneWorker(): void
    {
        $server = $this->serve(['WORKERS' => '1']);
        $url = $server->printed('~^(http://\S+)$~m');
        self::assertSame(0, $this->issuer->fetches());
        for ($request = 0; $request < 100; $request++) {
            self::assertSame([200, self::OK], Http::get("$url/reports", $this->issuer->mint()));
        }
        self::assertSame(1, $this->issuer->fetches());
        // And the line at start once, though each request begins from nothing; the first one is of the check
        $server->warns('/accepts issuer.*accepts issuer/s');
        self::assertSame(2, \substr_count($server->errors(), 'accepts issuer'), $server->errors());
    }

    public function testSharedKeysLiveOnWhileTheirServerHangs(): void
    {
        $server = $this->serve(['WORKERS' => '1', 'POMERIUM_JWT_CACHE_TTL' => '1', 'POMERIUM_JWT_TIMEOUT' => '2']);
        $url = $server->printed('~^(http://\S+)$~m');
        $token = $this->issuer->mint();
        self::assertSame([200, self::OK], Http::get("$url/reports", $token));
        $this->issuer->post('/fault?kind=reset');
        for ($end = \microtime(true) + 3; \microtime(true) < $end; \usleep(100_000)) {
            self::assertSame([200, self::OK], Http::get("$url/reports", $token));
        }
        self::assertGreaterThan(1, $this->issuer->fetches(), 'threads of the library have tried');
    }

    public function testPhpFpmWithFfiForPreloadedCodeAlone(): void
    {
        $folder = Scratch::folder();
        $library = \getenv('LD_LIBRARY_PATH') . '/libpomerium_jwt.so';
        [$code, $header, $errors] = Process::run([__DIR__ . '/../bin/pomerium-jwt-ffi-header', $library]);
        self::assertSame(0, $code, $errors);
        \file_put_contents("$folder/pomerium_jwt.h", $header);
        $user = \posix_getpwuid(\posix_geteuid())['name'];
        \file_put_contents("$folder/php-fpm.conf", <<<END
            [global]
            daemonize = no
            error_log = /proc/self/fd/2
            [app]
            user = $user
            listen = $folder/php-fpm.sock
            pm = static
            pm.max_children = 1
            clear_env = no
            catch_workers_output = yes
            php_admin_value[error_log] = /proc/self/fd/2
            END);
        $recipe = [
            '-d', 'ffi.enable=preload',
            '-d', "ffi.preload=$folder/pomerium_jwt.h",
            '-d', 'opcache.enable=1',
            '-d', 'opcache.preload=' . \realpath(__DIR__ . '/../preload.php'),
            '-d', "opcache.preload_user=$user",
        ];
        $options = ['POMERIUM_JWT_ROUTE' => $this->issuer->url];
        foreach (['without' => [], 'with' => $recipe] as $name => $settings) {
            $fpm = new Process([self::fpm(), '--allow-to-run-as-root', '--fpm-config', "$folder/php-fpm.conf", ...$settings], $options);
            $nginx = Nginx::start($folder, \realpath(self::EXAMPLES . '/plain'));
            $answer = $nginx->get('/reports', $this->issuer->mint());
            if ($name === 'with') {
                self::assertSame([200, self::OK], $answer, $fpm->errors());
                self::assertSame([401, '{"error":"token_missing"}'], $nginx->get('/reports'));
            } else {
                self::assertSame([500, '{"error":"internal"}'], $answer);
                $fpm->warns('/write ffi\.enable=true into php\.ini/');
            }
            $nginx->stop();
            $fpm->stop();
        }
    }

    public function testTheBuiltInServer(): void
    {
        $port = Http::freePort();
        $server = new Process(
            [PHP_BINARY, '-d', 'ffi.enable=true', '-S', "127.0.0.1:$port", 'index.php'],
            ['POMERIUM_JWT_ROUTE' => $this->issuer->url, 'POMERIUM_JWT_EXEMPT_PATHS' => '/health'],
            self::EXAMPLES . '/plain'
        );
        $url = "http://127.0.0.1:$port";
        Http::await($port, $server);
        $token = $this->issuer->mint();
        self::assertSame([200, self::OK], Http::get("$url/reports", $token));
        self::assertSame([200, self::OK], Http::get("$url/reports.txt?a", $token));
        self::assertSame([401, '{"error":"token_missing"}'], Http::get("$url/index.php"));
        self::assertSame([401, '{"error":"token_repeated"}'], Http::get("$url/", $token, ["X-Pomerium-Jwt-Assertion: $token"]));
        self::assertSame([401, '{"error":"token_missing"}'], Http::get("$url/health", '', ['Upgrade: websocket']));
        self::assertSame(200, Http::get("$url/health")[0]);
        self::assertSame(1, $this->issuer->fetches());
    }

    public function testTheBuiltInServerSaysWhenFfiIsForPreloadedCodeAlone(): void
    {
        $port = Http::freePort();
        $server = new Process([PHP_BINARY, '-d', 'ffi.enable=preload', '-S', "127.0.0.1:$port"], [], self::EXAMPLES . '/plain');
        Http::await($port, $server);
        self::assertSame([500, '{"error":"internal"}'], Http::get("http://127.0.0.1:$port/", $this->issuer->mint()));
        $server->warns('/write ffi\.enable=true into php\.ini/');
    }

    public function testTheBuiltInServerWithCompressionAndSessions(): void
    {
        $port = Http::freePort();
        $settings = ['ffi.enable=true', 'zlib.output_compression=1', 'session.auto_start=1', 'output_buffering=4096'];
        $options = ['POMERIUM_JWT_ROUTE' => $this->issuer->url, 'POMERIUM_JWT_EXEMPT_PATHS' => '/health'];
        $command = [PHP_BINARY, ...\array_merge(...\array_map(static fn ($one) => ['-d', $one], $settings)), '-S', "127.0.0.1:$port"];
        $server = new Process($command, $options, self::EXAMPLES . '/plain');
        Http::await($port, $server);
        $url = "http://127.0.0.1:$port";
        $unzipped = static function (array $answer): array {
            return [$answer[0], \str_starts_with($answer[1], "\x1f\x8b") ? \gzdecode($answer[1]) : $answer[1]];
        };
        $zipped = ['Accept-Encoding: gzip'];
        self::assertSame([200, self::OK], $unzipped(Http::get("$url/a", $this->issuer->mint(), $zipped)));
        self::assertSame([401, '{"error":"token_missing"}'], $unzipped(Http::get("$url/a", '', $zipped)));
        self::assertSame(200, Http::get("$url/health", '', $zipped)[0]);
        self::assertSame(401, Http::get("$url/health", '', [...$zipped, 'Upgrade: websocket'])[0]);
    }

    public function testApache(): void
    {
        [$server, $url, $log] = $this->apache();
        $token = $this->issuer->mint();
        for ($request = 0; $request < 20; $request++) {
            self::assertSame([200, self::OK], Http::get("$url/reports?a", $token), $log());
        }
        self::assertSame([401, '{"error":"token_repeated"}'], Http::get("$url/", $token, ["X-Pomerium-Jwt-Assertion: $token"]));
        self::assertSame([401, '{"error":"token_missing"}'], Http::get("$url/index.php"));
        self::assertSame([401, '{"error":"token_missing"}'], Http::get("$url/", '', ["X_Pomerium_Jwt_Assertion: $token"]));
        self::assertSame(200, Http::get("$url/health")[0]);
        self::assertSame(1, $this->issuer->fetches());
        self::assertStringContainsString('accepts issuer', $log());
        $server->stop();
    }

    public function testApacheKeepsAuthorizationFromPhp(): void
    {
        [$server, $url, $log] = $this->apache('SetEnv POMERIUM_JWT_HEADER_NAME Authorization');
        $token = $this->issuer->mint();
        self::assertSame([200, self::OK], Http::get("$url/reports", '', ["Authorization: Bearer $token"]), $log());
        self::assertSame([401, '{"error":"token_missing"}'], Http::get("$url/reports", $token));
        $server->stop();
    }

    /**
     * With mod_php and one process.
     *
     * @return array{Process, string, callable(): string} the server, its URL, and its log
     */
    private function apache(string $more = ''): array
    {
        $folder = Scratch::folder();
        $port = Http::freePort();
        $modules = '/usr/lib/apache2/modules';
        $php = \glob("$modules/libphp*.so")[0];
        $root = \realpath(self::EXAMPLES . '/plain');
        $user = \posix_geteuid() === 0 ? "User www-data\nGroup www-data" : '';
        \file_put_contents("$folder/apache.conf", <<<END
            ServerRoot $folder
            ServerName 127.0.0.1
            PidFile $folder/pid
            Listen 127.0.0.1:$port
            ErrorLog $folder/errors
            $user
            LoadModule mpm_prefork_module $modules/mod_mpm_prefork.so
            LoadModule authz_core_module $modules/mod_authz_core.so
            LoadModule dir_module $modules/mod_dir.so
            LoadModule env_module $modules/mod_env.so
            LoadModule php_module $php
            StartServers 1
            MaxRequestWorkers 1
            DocumentRoot $root
            php_admin_value ffi.enable true
            SetEnv POMERIUM_JWT_ROUTE {$this->issuer->url}
            SetEnv POMERIUM_JWT_EXEMPT_PATHS /health
            $more
            LimitRequestFieldSize 65536
            <Directory $root>
                Require all granted
                FallbackResource /index.php
            </Directory>
            <FilesMatch \.php$>
                SetHandler application/x-httpd-php
            </FilesMatch>
            END);
        $server = new Process(['/usr/sbin/apache2', '-X', '-f', "$folder/apache.conf"]);
        Http::await($port, $server);
        return [$server, "http://127.0.0.1:$port", static fn (): string => (string) @\file_get_contents("$folder/errors")];
    }

    private function serve(array $environment): Process
    {
        $options = ['POMERIUM_JWT_ROUTE' => $this->issuer->url, 'PORT' => '0'];
        return new Process(['./serve', 'plain'], $environment + $options, self::EXAMPLES);
    }

    private static function fpm(): string
    {
        $found = \glob('/usr/sbin/php-fpm*');
        return \end($found);
    }
}
