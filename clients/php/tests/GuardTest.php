<?php

declare(strict_types=1);

namespace PomeriumJwt\Tests;

use PHPUnit\Framework\TestCase;
use PomeriumJwt\Code;
use PomeriumJwt\Guard;
use PomeriumJwt\Refusal;
use PomeriumJwt\Request;
use PomeriumJwt\Verifier;
use PomeriumJwt\VerifyException;
use Psr\Log\AbstractLogger;
use Psr\Log\LoggerInterface;
use RuntimeException;

require_once 'Psr/Log/autoload.php';

/**
 * What is logged, and what a refused client is told.
 */
final class GuardTest extends TestCase
{
    public function testTheLineAtStartIsWrittenOnce(): void
    {
        $logger = self::logger();
        $verifier = Verifier::forRoute('https://start.example.com');
        new Guard($verifier, $logger);
        new Guard(Verifier::forRoute('https://start.example.com'), $logger);
        new Guard($verifier->with([]), $logger);
        self::assertSame([['info', "pomerium-jwt: {$verifier->summary()}"]], $logger->lines);
    }

    public function testOverriddenVariablesAreNamedAtStart(): void
    {
        $logger = self::logger();
        $variables = ['POMERIUM_JWT_ROUTE' => 'https://secret.example.com'];
        new Guard(Verifier::overEnvironment(['route' => 'https://code.example.com'], $variables), $logger);
        self::assertSame('warning', $logger->lines[1][0]);
        self::assertStringContainsString('POMERIUM_JWT_ROUTE', $logger->lines[1][1]);
        self::assertStringNotContainsString('secret', $logger->lines[1][1]);
    }

    public function testOneWarningASecondForACode(): void
    {
        $logger = self::logger();
        $guard = new Guard(Verifier::of(['route' => 'https://log.example.com'], false), $logger);
        $begin = \microtime(true);
        do {
            $refused = 0;
            for (; $refused < 1_000; $refused++) {
                $this->refuse($guard, 'x.y.z', "/a\n\x1b[2Jforged \"line\"" . \str_repeat('b', 300));
            }
        } while (\microtime(true) - $begin < 1.1);
        $warnings = \array_filter($logger->lines, static fn (array $line): bool => $line[0] === 'warning');
        self::assertLessThanOrEqual(\microtime(true) - $begin + 1, \count($warnings));
        self::assertGreaterThan(1, \count($warnings));
        foreach ($warnings as [, $line]) {
            self::assertStringContainsString('token_malformed', $line);
            self::assertStringContainsString('/a\n\033[2Jforged \"line\"', $line);
            self::assertStringNotContainsString("\n", $line);
            self::assertLessThan(700, \strlen($line));
        }
        self::assertStringContainsString('more since the last such line', \end($warnings)[1]);
    }

    public function testOnRefusedTakesThePlaceOfTheWarning(): void
    {
        $told = [];
        $logger = self::logger();
        $onRefused = static function (Code $code, string $message, string $path) use (&$told): void {
            $told[] = [$code, $message !== '', $path];
        };
        $guard = new Guard(Verifier::of(['route' => 'https://log.example.com'], false), $logger, null, $onRefused);
        $this->refuse($guard, '', '/a');
        $this->refuse($guard, '', '/b');
        self::assertSame([[Code::TokenMissing, true, '/a'], [Code::TokenMissing, true, '/b']], $told);
        self::assertNotContains('warning', \array_column($logger->lines, 0));
    }

    public function testAnErrorHandlerRendersAndNothingElse(): void
    {
        $verifier = Verifier::of(['route' => 'https://log.example.com'], false);
        $page = static fn (Refusal $refusal): array => ['text/html', "<p>{$refusal->code->value}</p>"];
        $refusal = $this->refuse(new Guard($verifier, self::logger(), $page), '', '/');
        self::assertSame([401, '<p>token_missing</p>'], [$refusal->status, $refusal->body]);
        self::assertSame('text/html', $refusal->headers['Content-Type']);
        self::assertSame('no-store', $refusal->headers['Cache-Control']);
        self::assertSame('Bearer error="invalid_token"', $refusal->headers['WWW-Authenticate']);

        foreach ([static fn () => throw new RuntimeException('secret'), static fn () => null, static fn () => ['a', 1]] as $bad) {
            $logger = self::logger();
            $refusal = $this->refuse(new Guard($verifier, $logger, $bad), '', '/');
            self::assertSame('{"error":"token_missing"}', $refusal->body);
            self::assertStringContainsString('error handler', \end($logger->lines)[1]);
        }
    }

    private function refuse(Guard $guard, string $token, string $path): Refusal
    {
        try {
            $guard->admit(new Request($token, $path));
        } catch (VerifyException $refused) {
            return $guard->refuse($refused, $path);
        }
        self::fail('nothing was refused');
    }

    private static function logger(): LoggerInterface
    {
        return new class extends AbstractLogger {
            /** @var list<array{string, string}> */
            public array $lines = [];

            public function log($level, $message, array $context = []): void
            {
                $this->lines[] = [$level, $message];
            }
        };
    }
}
