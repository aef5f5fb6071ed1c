<?php

declare(strict_types=1);

namespace PomeriumJwt\Tests;

use FFI;
use PHPUnit\Framework\TestCase;
use PomeriumJwt\Declarations;
use PomeriumJwt\Loader;

/**
 * Whatever keeps the C library from being used is a sentence that says what to write.
 */
final class LoaderTest extends TestCase
{
    private const CHECK = __DIR__ . '/../bin/pomerium-jwt-check';
    private const ROUTE = ['POMERIUM_JWT_ROUTE' => 'https://app.example.com'];

    public function testTheCheckSaysWhatIsAccepted(): void
    {
        [$code, $output, $errors] = Process::run([self::CHECK], self::ROUTE);
        self::assertSame([0, ''], [$code, $output]);
        self::assertStringContainsString('accepts issuer and audience app.example.com', $errors);
    }

    /** @dataProvider failures */
    public function testFailure(array $command, array $environment, string $sentence): void
    {
        [$code, $output, $errors] = Process::run([...$command, self::CHECK], $environment + self::ROUTE);
        self::assertSame([1, ''], [$code, $output], $errors);
        self::assertStringContainsString($sentence, $errors);
        self::assertSame(1, \substr_count($errors, "\n"), $errors);
    }

    public static function failures(): array
    {
        $missing = ['POMERIUM_JWT_LIBRARY' => '/nonexistent/libpomerium_jwt.so'];
        return [
            'no extension' => [[PHP_BINARY, '-n'], [], 'write extension=ffi into php.ini'],
            'FFI off' => [[PHP_BINARY, '-d', 'ffi.enable=false'], [], 'write ffi.enable=true into php.ini'],
            'no library' => [[PHP_BINARY], $missing, '/nonexistent/libpomerium_jwt.so cannot be loaded'],
            'no library installed' => [[PHP_BINARY], ['LD_LIBRARY_PATH' => ''], 'name the file in POMERIUM_JWT_LIBRARY'],
            'a wrong option' => [[PHP_BINARY], ['POMERIUM_JWT_ROUT' => 'x'], 'POMERIUM_JWT_ROUTE'],
        ];
    }

    public function testAnOlderLibrary(): void
    {
        $errors = $this->checked('const char *pomerium_jwt_version(void) { return "0.0.1"; }');
        self::assertStringContainsString('is older than this package', $errors);
        self::assertStringContainsString('install both from the same release', $errors);
    }

    public function testALibraryWithAnotherInterface(): void
    {
        $source = '';
        foreach (\file(REPOSITORY . '/ffi-c/exports.txt', FILE_IGNORE_NEW_LINES) as $name) {
            $source .= "int $name(void) { return 2; }\n";
        }
        self::assertStringContainsString('has version 2 of the interface and this package needs 1', $this->checked($source));
    }

    public function testTheLibraryIsUnloadedAndLoadedAgain(): void
    {
        $issuer = new Issuer();
        $options = \json_encode(['route' => $issuer->url]);
        $token = $issuer->mint();
        for ($time = 0; $time < 50; $time++) {
            $ffi = FFI::cdef(Declarations::TEXT, Loader::library());
            $verifier = $ffi->new('pomerium_jwt_verifier *');
            $shared = $ffi->pomerium_jwt_verifier_shared($options, \strlen($options), FFI::addr($verifier), null);
            self::assertSame(0, $shared);
            self::assertSame(0, $ffi->pomerium_jwt_verify($verifier, $token, \strlen($token), null, null));
            unset($verifier, $ffi); // PHP closes the library with the last FFI object
        }
        self::assertSame(1, $issuer->fetches());
    }

    private function checked(string $source): string
    {
        $folder = Scratch::folder();
        \file_put_contents("$folder/other.c", $source);
        [$code, , $errors] = Process::run(['cc', '-shared', '-fPIC', '-w', '-o', "$folder/other.so", "$folder/other.c"]);
        self::assertSame(0, $code, $errors);
        [$code, , $errors] = Process::run([self::CHECK], ['POMERIUM_JWT_LIBRARY' => "$folder/other.so"] + self::ROUTE);
        self::assertSame(1, $code);
        return $errors;
    }
}
