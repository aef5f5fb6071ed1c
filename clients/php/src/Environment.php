<?php

declare(strict_types=1);

namespace PomeriumJwt;

/**
 * The environment variables that begin with POMERIUM_JWT_, wherever PHP has them: the process's own, those of
 * a .env file, fastcgi_param of nginx and SetEnv of Apache. No request can set one of these.
 */
final class Environment
{
    private const PREFIX = 'POMERIUM_JWT_';

    /**
     * @return array<string, string> by name; the process's own win
     */
    public static function variables(): array
    {
        $found = [];
        foreach ([$_ENV, $_SERVER, \getenv()] as $variables) {
            foreach ($variables as $name => $value) {
                // In any case: the library refuses a misspelt name instead of dropping a check
                if (\strncasecmp((string) $name, self::PREFIX, \strlen(self::PREFIX)) === 0 && \is_string($value)) {
                    $found[(string) $name] = $value;
                }
            }
        }
        return $found;
    }
}
