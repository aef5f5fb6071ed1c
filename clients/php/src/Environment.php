<?php

declare(strict_types=1);

namespace PomeriumJwt;

/**
 * The environment variables that begin with POMERIUM_JWT_, wherever PHP has them: the process's own, those of
 * a .env file, fastcgi_param of nginx and SetEnv of Apache. No request can set one of these.
 */
final class Environment
{
    /** Apache puts REDIRECT_ in front of what a rule has set before an internal redirect. */
    private const NAME = '/^((?:REDIRECT_)*)(POMERIUM_JWT_.*)$/si';

    /**
     * @return array<string, string> by name; the process's own win
     */
    public static function variables(): array
    {
        $found = [];
        foreach ([$_ENV, $_SERVER, \getenv()] as $variables) {
            $redirected = [];
            foreach ($variables as $name => $value) {
                // Few names pass the first of these. In any case: the library refuses a misspelt name instead of
                // dropping a check
                if (\stripos((string) $name, 'JWT_') === false || !\is_string($value)) {
                    continue;
                }
                if (\preg_match(self::NAME, $name, $parts) === 1) {
                    $parts[1] === '' ? $found[$parts[2]] = $value : $redirected[$parts[2]] = $value;
                }
            }
            $found += $redirected;
        }
        return $found;
    }
}
