<?php

declare(strict_types=1);

namespace PomeriumJwt\Tests;

/**
 * The example's nginx, in front of a php-fpm that listens at `php-fpm.sock` in the folder.
 */
final class Nginx
{
    private function __construct(private readonly Process $process, private readonly string $url)
    {
    }

    public static function start(string $folder, string $root): self
    {
        $port = Http::freePort();
        $values = [
            '@RUN@' => $folder,
            '@ROOT@' => $root,
            '@PORT@' => (string) $port,
            '@USER@' => \posix_getpwuid(\posix_geteuid())['name'],
            '@CORS_ORIGIN@' => 'none',
        ];
        $template = \file_get_contents(REPOSITORY . '/examples/php/nginx.conf');
        \file_put_contents("$folder/nginx.conf", \strtr($template, $values));
        $process = new Process(['/usr/sbin/nginx', '-e', 'stderr', '-c', "$folder/nginx.conf"]);
        Http::await($port, $process);
        while (($connection = @\stream_socket_client("unix://$folder/php-fpm.sock")) === false) {
            \usleep(10_000);
        }
        \fclose($connection);
        return new self($process, "http://127.0.0.1:$port");
    }

    /** @return array{int, string} */
    public function get(string $path, string $token = ''): array
    {
        return Http::get($this->url . $path, $token);
    }

    public function stop(): void
    {
        $this->process->stop();
    }
}
