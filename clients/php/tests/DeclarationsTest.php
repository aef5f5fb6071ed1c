<?php

declare(strict_types=1);

namespace PomeriumJwt\Tests;

use FFI;
use PHPUnit\Framework\TestCase;
use PomeriumJwt\Declarations;
use PomeriumJwt\Loader;
use PomeriumJwt\Native;
use ReflectionClass;

/**
 * What the package declares of the C library is what include/pomerium_jwt.h says.
 */
final class DeclarationsTest extends TestCase
{
    private const HEADER = REPOSITORY . '/include/pomerium_jwt.h';

    public function testDeclarationsAreThoseOfTheHeader(): void
    {
        $native = \file_get_contents(__DIR__ . '/../src/Native.php') . \file_get_contents(__DIR__ . '/../src/Loader.php');
        // status, describe and metrics are called by a part of their names
        \preg_match_all('/pomerium_jwt_\w+/', $native . ' pomerium_jwt_status pomerium_jwt_describe pomerium_jwt_metrics', $used);
        $header = \preg_replace('~/\*.*?\*/|//[^\n]*~s', '', \file_get_contents(self::HEADER));
        \preg_match_all('~^(?:typedef struct|[a-z])[^;{}#]*?(pomerium_jwt_\w+)(?:\([^;]*\))?;~m', $header, $declared, PREG_SET_ORDER);
        $wanted = '';
        foreach ($declared as [$declaration, $name]) {
            if (\str_starts_with($declaration, 'typedef') || \in_array($name, $used[0], true)) {
                $wanted .= \preg_replace('/\s+/', ' ', $declaration) . "\n";
            }
        }
        self::assertSame($wanted, Declarations::TEXT, 'write this text into src/Declarations.php');
    }

    public function testConstantsAreThoseOfTheHeader(): void
    {
        $header = \preg_replace('/^#ifdef __cplusplus$.*?^#endif.*?$/ms', '', \file_get_contents(self::HEADER));
        $ffi = FFI::cdef($header, Loader::library());
        $constants = (new ReflectionClass(Native::class))->getConstants();
        self::assertSame(['PASSED', 'UPGRADE', 'MARKED_PUBLIC'], \array_keys($constants));
        foreach ($constants as $name => $value) {
            self::assertSame($ffi->{"POMERIUM_JWT_$name"}, $value, $name);
        }
    }
}
