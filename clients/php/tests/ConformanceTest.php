<?php

declare(strict_types=1);

namespace PomeriumJwt\Tests;

use PHPUnit\Framework\TestCase;
use PomeriumJwt\Code;
use PomeriumJwt\Demand;
use PomeriumJwt\Identity;
use PomeriumJwt\Native;
use PomeriumJwt\Options;
use PomeriumJwt\Request;
use PomeriumJwt\Verifier;
use PomeriumJwt\VerifyException;

/**
 * What every language runs: the cases of conformance/, and what is printed from the core.
 */
final class ConformanceTest extends TestCase
{
    private const FOLDER = REPOSITORY . '/conformance';

    private string $folder;

    protected function setUp(): void
    {
        $this->folder = \getcwd();
        \chdir(self::FOLDER); // file names in options are relative to it
    }

    protected function tearDown(): void
    {
        \chdir($this->folder);
    }

    public function testCases(): void
    {
        $count = $this->runAll(['cases.json', 'genuine.json'], self::outcome(...));
        self::assertGreaterThan(1300, $count);
        echo "\nconformance: $count cases\n";
    }

    public function testRequests(): void
    {
        $count = $this->runAll(['requests.json'], self::admission(...));
        self::assertGreaterThan(200, $count);
        echo "\nrequests: $count cases\n";
    }

    public function testCodesAreThoseOfTheCore(): void
    {
        $listed = [];
        foreach (self::read('codes.json') as $code) {
            $listed[$code->code] = [$code->number, $code->kind, $code->status];
        }
        $ours = [];
        foreach (Code::cases() as $code) {
            $ours[$code->value] = [$code->number(), $code->kind()->value, $code->kind()->status()];
        }
        self::assertSame($listed, $ours, 'src/Code.php differs from codes.json: run `make conformance`');
    }

    public function testOptionsAreThoseOfTheCore(): void
    {
        $examples = [
            'list' => ['a'], 'string' => 'a', 'boolean' => true, 'seconds' => 30, 'integer' => 2000,
            'jwks' => ['keys' => []], 'claims' => ['a' => 'b'],
        ];
        $all = [];
        foreach (self::read('options.json') as $option) {
            $all[$option->name] = $examples[$option->type];
        }
        self::assertSame($all, (new Options(...\array_values($all)))->toArray(), 'run `make conformance`');
    }

    private function runAll(array $files, callable $outcome): int
    {
        $failures = [];
        $count = 0;
        foreach ($files as $file) {
            foreach (self::read($file) as $case) {
                $count++;
                $why = self::difference($case->expect, $outcome($case));
                if ($why !== null) {
                    $failures[] = "$case->id: $why";
                }
            }
        }
        self::assertSame([], $failures);
        return $count;
    }

    /** The outcome of a case of a token, in the form of `expect`. */
    private static function outcome(object $case): object
    {
        try {
            $verifier = Verifier::of((array) $case->options, false);
            if (!isset($case->token)) {
                return (object) ['accepted' => 'the options'];
            }
            $identity = $verifier->verifyAt(self::token($case->token), $case->now);
        } catch (VerifyException $refused) {
            return (object) ['code' => $refused->code()->value, 'message' => $refused->getMessage()];
        }
        return (object) ['identity' => self::json($identity), 'claims' => self::decode($identity->claimsText())];
    }

    private static function admission(object $case): object
    {
        try {
            $verifier = Verifier::of((array) $case->options, false);
            if (\is_object($case->with ?? null)) {
                $verifier = $verifier->with((array) $case->with);
            } elseif (isset($case->with)) { // what an array of PHP cannot say: [] is an empty object as well
                return self::madeWith($case->options, \json_encode($case->with));
            }
            if (!isset($case->request)) {
                return (object) ['accepted' => 'the options'];
            }
        } catch (VerifyException $refused) {
            return (object) ['code' => $refused->code()->value, 'message' => $refused->getMessage()];
        }
        $facts = $case->request;
        $upgrade = $facts->upgrade ?? false;
        $request = new Request(self::token($facts->token), $facts->path, $upgrade, $facts->marked_public ?? false);
        try {
            $identity = self::demanded($case->demand ?? (object) [], $verifier->admit($request));
        } catch (VerifyException $refused) {
            return (object) [
                'code' => $refused->code()->value,
                'status' => $refused->status(),
                'headers' => (object) $refused->headers(),
                'body' => $refused->body(),
            ];
        }
        return (object) ($identity === null ? ['passed' => true] : ['identity' => self::json($identity)]);
    }

    private static function madeWith(object $options, string $with): object
    {
        [, , $base] = Native::load()->verifier(\json_encode($options), false);
        [$code, $message] = Native::load()->with($base, $with);
        Native::load()->free($base);
        return (object) ['code' => $code === Code::InvalidOptions->number() ? 'invalid_options' : $code, 'message' => $message];
    }

    private static function demanded(object $demand, ?Identity $identity): ?Identity
    {
        if (isset($demand->groups)) {
            return Demand::group($identity, ...$demand->groups);
        }
        return isset($demand->user) ? Demand::user($identity) : $identity;
    }

    /** What differs, with all members of what is expected and no others; of a message it is a part. */
    private static function difference(object $expected, object $got): ?string
    {
        if (isset($got->message)) {
            if (!\str_contains($got->message, $expected->message ?? '')) {
                return "the message $got->message does not hold $expected->message";
            }
            unset($got->message);
        }
        $wanted = clone $expected;
        unset($wanted->message);
        if (self::sorted($wanted) === self::sorted($got)) {
            return null;
        }
        return 'expected ' . \json_encode($expected) . ', got ' . \json_encode($got);
    }

    /** Objects without order, numbers by value, and an empty object is not an empty list. */
    private static function sorted(mixed $value): mixed
    {
        if (\is_object($value)) {
            $members = \array_map(self::sorted(...), (array) $value);
            \ksort($members, SORT_STRING);
            return ['an object' => $members];
        }
        if (\is_array($value)) {
            return \array_map(self::sorted(...), $value);
        }
        return \is_float($value) && $value === \floor($value) && \abs($value) < 2 ** 53 ? (int) $value : $value;
    }

    private static function json(Identity $identity): object
    {
        return self::decode(\json_encode($identity, JSON_THROW_ON_ERROR));
    }

    private static function token(string|array $token): string
    {
        $text = '';
        foreach ((array) $token as $part) {
            $text .= \is_array($part) ? \str_repeat($part[0], $part[1]) : $part;
        }
        return $text;
    }

    private static function read(string $file): array
    {
        return self::decode(\file_get_contents(self::FOLDER . "/$file"));
    }

    private static function decode(string $text): mixed
    {
        return \json_decode($text, false, 512, JSON_THROW_ON_ERROR | JSON_BIGINT_AS_STRING);
    }
}
