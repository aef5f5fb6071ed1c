<?php

declare(strict_types=1);

namespace PomeriumJwt\Tests;

/**
 * Folders that are gone when the tests end.
 */
final class Scratch
{
    public static function folder(): string
    {
        $folder = \sys_get_temp_dir() . '/pomerium-jwt-' . \bin2hex(\random_bytes(8));
        \mkdir($folder);
        \chmod($folder, 0755);
        $owner = \getmypid();
        \register_shutdown_function(static function () use ($folder, $owner): void {
            if (\getmypid() === $owner) {
                \exec('rm -rf ' . \escapeshellarg($folder));
            }
        });
        return $folder;
    }
}
