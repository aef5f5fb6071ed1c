<?php

declare(strict_types=1);

namespace PomeriumJwt\Tests;

use PHPUnit\Framework\TestCase;
use PomeriumJwt\Testing\TestIssuer;

/**
 * What README.md says is so.
 */
final class ReadmeTest extends TestCase
{
    private static string $text;

    public static function setUpBeforeClass(): void
    {
        self::$text = \file_get_contents(__DIR__ . '/../README.md');
    }

    public function testTheFirstProgram(): void
    {
        \preg_match('/## Use\n\n```php\n(.*?)```/s', self::$text, $found);
        $autoload = \var_export(\realpath(__DIR__ . '/../autoload.php'), true);
        $issuer = new TestIssuer();
        $folder = Scratch::folder();
        $program = \str_replace("__DIR__ . '/vendor/autoload.php'", $autoload, $found[1]);
        \file_put_contents("$folder/index.php", "<?php\n$program");
        $header = \var_export($issuer->mint(), true);
        \file_put_contents("$folder/server.php", "<?php\n\$_SERVER['HTTP_X_POMERIUM_JWT_ASSERTION'] = $header;\n");
        [$code, $output, $errors] = Process::run(
            [PHP_BINARY, '-d', "auto_prepend_file=$folder/server.php", "$folder/index.php"],
            $issuer->environment()
        );
        self::assertSame([0, 'Hello alice@example.com'], [$code, $output], $errors);
    }

    /** @dataProvider outcomes */
    public function testTheVerifyExample(string $claims, int $code, string $printed): void
    {
        $issuer = new TestIssuer();
        $token = $claims === 'none' ? '' : $issuer->mint((array) \json_decode($claims));
        \file_put_contents($file = Scratch::folder() . '/token', $token . "\n");
        [$exit, $output, $errors] = Process::run(
            ['sh', '-c', 'php verify.php < "$0"', $file],
            $issuer->environment(),
            REPOSITORY . '/examples/php'
        );
        self::assertSame($code, $exit, $errors);
        self::assertStringStartsWith($printed, $output . $errors);
    }

    public static function outcomes(): array
    {
        return [
            ['{}', 0, 'alice alice@example.com'],
            ['{"email": ""}', 0, 'alice -'],
            ['none', 1, 'token_missing: '],
            ['{"exp": 1000, "iat": 1000}', 1, 'token_expired: '],
        ];
    }

    public function testEveryNameIsThere(): void
    {
        \preg_match_all('/PomeriumJwt\\\\([A-Za-z\\\\_0-9]+)/', self::$text, $found);
        foreach (\array_unique($found[1]) as $name) {
            $name = 'PomeriumJwt\\' . \rtrim($name, '\\');
            $file = __DIR__ . '/../src/' . \strtr(\substr($name, 12), '\\', '/') . '.php';
            self::assertTrue(\is_file($file) || \function_exists($name), "README.md names $name, which is not there");
        }
    }
}
