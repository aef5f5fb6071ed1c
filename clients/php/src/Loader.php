<?php

declare(strict_types=1);

namespace PomeriumJwt;

use FFI;
use FFI\Exception as FFIException;

/**
 * Finds the C library. Whatever is wrong is one sentence with the line to write.
 *
 * @internal
 */
final class Loader
{
    private const ABI = 1;
    private const SCOPE = 'POMERIUM_JWT';

    /**
     * @throws VerifyException
     */
    public static function load(): FFI
    {
        if (!\extension_loaded('ffi')) {
            throw self::failure('PHP\'s extension ffi is not loaded: write extension=ffi into php.ini');
        }
        $library = self::library();
        try {
            $ffi = \ini_get('ffi.preload') ? self::preloaded() : null;
            $ffi ??= FFI::cdef(Declarations::TEXT, $library);
        } catch (FFIException $why) {
            throw self::failure(self::explain($library, $why->getMessage()));
        }
        $abi = $ffi->pomerium_jwt_abi_version();
        if ($abi !== self::ABI) {
            $text = "$library has version $abi of the interface and this package needs " . self::ABI;
            throw self::failure("$text: install both from the same release");
        }
        return $ffi;
    }

    /** What POMERIUM_JWT_LIBRARY names, else the package's own, else the system's. */
    public static function library(): string
    {
        $named = Environment::variables()['POMERIUM_JWT_LIBRARY'] ?? '';
        if ($named !== '') {
            return $named;
        }
        $packed = \dirname(__DIR__) . '/lib/' . \strtolower(\PHP_OS_FAMILY) . '-' . \php_uname('m') . '/libpomerium_jwt.so';
        return \is_file($packed) ? $packed : 'libpomerium_jwt.so';
    }

    private static function preloaded(): ?FFI
    {
        try {
            return FFI::scope(self::SCOPE);
        } catch (FFIException) {
            return null; // ffi.preload is about other libraries
        }
    }

    private static function explain(string $library, string $why): string
    {
        if (\str_contains($why, 'ffi.enable')) {
            return 'PHP does not let this script use FFI: write ffi.enable=true into php.ini (php-fpm: '
                . 'php_admin_value[ffi.enable]=true into the pool), or preload as the README of this package says';
        }
        try {
            FFI::cdef('const char *pomerium_jwt_version(void);', $library);
        } catch (FFIException) {
            return "the C library $library cannot be loaded ($why): install it (make install PREFIX=/usr/local && "
                . 'ldconfig), or name the file in POMERIUM_JWT_LIBRARY (php-fpm: env[POMERIUM_JWT_LIBRARY]=/path in the '
                . 'pool)';
        }
        return "the C library $library is older than this package ($why): install both from the same release";
    }

    private static function failure(string $sentence): VerifyException
    {
        return VerifyException::of(Code::Internal, $sentence);
    }
}
