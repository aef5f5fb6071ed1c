<?php

declare(strict_types=1);

namespace PomeriumJwt\Tests;

use PHPUnit\Framework\TestCase;

/**
 * The five scenarios, all at the same time: most of each is sleep.
 */
final class ScenariosTest extends TestCase
{
    /** @var array<int, Process> */
    private static array $running = [];

    public static function setUpBeforeClass(): void
    {
        foreach (\range(1, 5) as $number) {
            self::$running[$number] = new Process([PHP_BINARY, __DIR__ . '/scenarios.php', (string) $number]);
        }
    }

    public static function tearDownAfterClass(): void
    {
        self::$running = [];
    }

    /** @dataProvider scenarios */
    public function testScenario(int $number): void
    {
        $scenario = self::$running[$number];
        self::assertSame(0, $scenario->wait(), $scenario->errors());
    }

    public static function scenarios(): array
    {
        return [
            'cold start' => [1],
            'rotation under load' => [2],
            'a withdrawn key' => [3],
            'the key server hangs' => [4],
            'an outage' => [5],
        ];
    }
}
