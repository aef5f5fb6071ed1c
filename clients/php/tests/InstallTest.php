<?php

declare(strict_types=1);

namespace PomeriumJwt\Tests;

use PHPUnit\Framework\TestCase;

/**
 * The package as a stranger has it: validated, and installed by Composer into an empty project outside the repository.
 */
final class InstallTest extends TestCase
{
    private const ENVIRONMENT = ['COMPOSER_ALLOW_SUPERUSER' => '1', 'COMPOSER_DISABLE_NETWORK' => '1'];

    public function testComposerFindsNothingToSay(): void
    {
        $command = ['composer', 'validate', '--strict', '--no-interaction'];
        [$code, $output, $errors] = Process::run($command, self::ENVIRONMENT, __DIR__ . '/..');
        self::assertSame(0, $code, $output . $errors);
    }

    public function testIntoAnEmptyProject(): void
    {
        $folder = Scratch::folder();
        \symlink(\realpath(REPOSITORY), "$folder/pomerium-jwt");
        \preg_match_all('/^composer .*$/m', \file_get_contents(__DIR__ . '/../README.md'), $commands);
        self::assertCount(2, $commands[0]);
        foreach (['echo {} > composer.json', 'composer config repositories.packagist.org false', ...$commands[0]] as $command) {
            [$code, $output, $errors] = Process::run(['sh', '-c', $command], self::ENVIRONMENT, $folder);
            self::assertSame(0, $code, "$command: $output$errors");
        }

        $issuer = new Issuer();
        \file_put_contents("$folder/hello.php", <<<'END'
            <?php
            require __DIR__ . '/vendor/autoload.php';
            echo PomeriumJwt\Verifier::forRoute($argv[1])->verify($argv[2])->subject, PomeriumJwt\logout_url();
            END);
        [$code, $output, $errors] = Process::run([PHP_BINARY, 'hello.php', $issuer->url, $issuer->mint()], [], $folder);
        self::assertSame([0, 'alice/.pomerium/sign_out', ''], [$code, $output, $errors]);

        $check = ["$folder/vendor/bin/pomerium-jwt-check"];
        [$code, , $errors] = Process::run($check, ['POMERIUM_JWT_ROUTE' => 'https://app.example.com'], $folder);
        self::assertSame(0, $code, $errors);
        self::assertStringContainsString('accepts issuer and audience app.example.com', $errors);
    }
}
