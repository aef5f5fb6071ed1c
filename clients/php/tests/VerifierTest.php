<?php

declare(strict_types=1);

namespace PomeriumJwt\Tests;

use DateInterval;
use PHPUnit\Framework\TestCase;
use PomeriumJwt\Code;
use PomeriumJwt\Demand;
use PomeriumJwt\Environment;
use PomeriumJwt\Identity;
use PomeriumJwt\Kind;
use PomeriumJwt\Options;
use PomeriumJwt\Request;
use PomeriumJwt\Verifier;
use PomeriumJwt\VerifyException;
use stdClass;

use function PomeriumJwt\logout_url;

final class VerifierTest extends TestCase
{
    private static object $genuine;

    public static function setUpBeforeClass(): void
    {
        $cases = \json_decode(\file_get_contents(REPOSITORY . '/conformance/requests.json'));
        foreach ($cases as $case) {
            if (isset($case->expect->identity) && $case->expect->identity->email !== null) {
                self::$genuine = $case; // a token of the year 2100, under static keys
                return;
            }
        }
    }

    public function testUsesTheClock(): void
    {
        $verifier = self::verifier();
        self::assertSame('alice', $verifier->verify(self::$genuine->request->token)->subject);
        self::assertCode(Code::TokenExpired, static function () use ($verifier): void {
            $verifier->verifyAt(self::$genuine->request->token, 2 ** 40);
        });
        $issuer = new Issuer();
        $old = $issuer->mint('exp=10&iat=5');
        self::assertCode(Code::TokenExpired, static fn () => Verifier::forRoute($issuer->url)->verify($old));
    }

    public function testEmptyNulHoldingAndOversizedTokens(): void
    {
        $verifier = self::verifier();
        $good = self::$genuine->request->token;
        self::assertCode(Code::TokenMissing, static fn () => $verifier->verify(''));
        self::assertCode(Code::TokenMissing, static fn () => $verifier->admit(Request::fromServer(
            ['HTTP_X_POMERIUM_JWT_ASSERTION' => " \t "],
            $verifier->headerName()
        )));
        self::assertCode(Code::TokenMalformed, static fn () => $verifier->verify("$good\0"));
        self::assertCode(Code::TokenMalformed, static fn () => $verifier->verify("\0"));
        self::assertCode(Code::TokenRepeated, static fn () => $verifier->verify("$good,$good"));
        self::assertCode(Code::TokenTooLarge, static fn () => $verifier->verify(\str_repeat('a', 1_000_000)));
    }

    public function testAVerifierOutlivesTheOneItIsMadeFrom(): void
    {
        $verifier = self::verifier();
        $other = $verifier->with(['exempt_paths' => ['/health']]);
        unset($verifier);
        \gc_collect_cycles();
        self::assertNull($other->admit(new Request('', '/health')));
        self::assertSame('alice', $other->verify(self::$genuine->request->token)->subject);
    }

    public function testMemoryIsFlat(): void
    {
        $rounds = (int) (\getenv('SOAK_ROUNDS') ?: 100_000);
        $verifier = self::verifier();
        $good = self::$genuine->request->token;
        $bad = \substr($good, 0, -4) . 'AAAA';
        $round = static function () use ($verifier, $good, $bad): void {
            $verifier->verify($good)->claims();
            try {
                $verifier->verify($bad);
            } catch (VerifyException) {
            }
        };
        for ($i = 0; $i < 5_000; $i++) {
            $round();
        }
        $before = [\memory_get_usage(), self::resident()];
        for ($i = 0; $i < $rounds; $i++) {
            $round();
        }
        self::assertLessThan(64 * 1024, \memory_get_usage() - $before[0], 'bytes of PHP');
        self::assertLessThan(4 * 1024, self::resident() - $before[1], 'kB of the process');
    }

    public function testEqualOptionsShareOneVerifier(): void
    {
        $issuer = new Issuer();
        $token = $issuer->mint();
        for ($request = 0; $request < 100; $request++) {
            self::assertSame('alice', Verifier::forRoute($issuer->url)->verify($token)->subject);
        }
        self::assertSame(1, $issuer->fetches());
        Verifier::of(['route' => $issuer->url], false)->verify($token);
        self::assertSame(2, $issuer->fetches(), 'one of its own has keys of its own');
    }

    public function testAVerifierIsNotCopied(): void
    {
        $serialized = 'O:20:"PomeriumJwt\Verifier":0:{}';
        $copies = [static fn ($one) => clone $one, \serialize(...), static fn () => \unserialize($serialized)];
        foreach ($copies as $copy) {
            try {
                $copy(self::verifier());
                self::fail('copied');
            } catch (\Error | \LogicException $refused) {
                self::assertStringContainsString('Verifier', $refused->getMessage());
            }
        }
    }

    public function testAForkHasKeysOfItsOwn(): void
    {
        $issuer = new Issuer();
        $token = $issuer->mint();
        $verifier = Verifier::forRoute($issuer->url);
        $verifier->verify($token);
        $child = \pcntl_fork();
        if ($child === 0) {
            $good = $verifier->verify($token)->subject === 'alice';
            \posix_kill(\posix_getpid(), $good ? SIGKILL : SIGABRT); // without destructors: the issuer is the parent's
        }
        \pcntl_waitpid($child, $status);
        self::assertSame(SIGKILL, \pcntl_wtermsig($status));
        self::assertSame('alice', $verifier->verify($token)->subject);
    }

    public function testKeysThatCannotBeLoaded(): void
    {
        $issuer = new Issuer();
        $token = $issuer->mint();
        $issuer->stop();
        $verifier = Verifier::of(new Options($issuer->url, timeout: 1), false);
        foreach ([static fn () => $verifier->verify($token), static fn () => $verifier->admit(new Request($token))] as $ask) {
            $refused = self::assertCode(Code::KeysUnavailable, $ask);
            self::assertSame([Kind::Keys, 503], [$refused->kind(), $refused->status()]);
            self::assertGreaterThanOrEqual(1, $refused->retryAfter());
            self::assertSame((string) $refused->retryAfter(), $refused->headers()['Retry-After']);
        }
        self::assertCode(Code::KeysUnavailable, static fn () => $verifier->refresh(true));
        $asked = ['configured' => true, 'asked' => true, 'keys_loaded' => false, 'stale' => false];
        self::assertSame($asked, $verifier->health());
        self::assertStringContainsString('pomerium_jwt', $verifier->metrics());
    }

    public function testIdentity(): void
    {
        $token = (new Issuer())->mint();
        $identity = self::verifier()->verify(self::$genuine->request->token);
        self::assertSame(\array_keys((array) self::$genuine->expect->identity), self::sorted($identity->toArray()));
        self::assertSame('alice@example.com', $identity->email);
        self::assertSame('alice@example.com', $identity->claims()['email']);
        self::assertTrue($identity->isUser());
        self::assertTrue($identity->inGroup($identity->groups[0]));
        self::assertTrue($identity->inAnyGroup('none', $identity->groups[0]));
        self::assertFalse($identity->inAllGroups('none', $identity->groups[0]));
        self::assertFalse($identity->inAnyGroup());
        self::assertTrue($identity->inAllGroups());
        self::assertSame($identity->expiresAt, $identity->expiresAtDateTime()->getTimestamp());
        foreach ([\print_r($identity, true), \print_r(new Request($token), true)] as $shown) {
            self::assertStringNotContainsString('alice', $shown);
            self::assertStringNotContainsString('eyJ', $shown);
        }
    }

    public function testIntegersThatPhpCannotHoldAreStrings(): void
    {
        $claims = '{"big":123456789012345678901234567890,"small":9223372036854775807,"float":1.5,"list":[],"object":{}}';
        $document = \json_encode((object) self::verifier()->verify(self::$genuine->request->token)->toArray());
        $identity = new Identity($document, $claims);
        self::assertSame('123456789012345678901234567890', $identity->claims()['big']);
        self::assertSame(PHP_INT_MAX, $identity->claims()['small']);
        self::assertSame($claims, $identity->claimsText());
    }

    public function testDemands(): void
    {
        $identity = self::verifier()->verify(self::$genuine->request->token);
        self::assertSame($identity, Demand::user($identity));
        self::assertSame($identity, Demand::group($identity, 'none', $identity->groups[0]));
        self::assertCode(Code::TokenMissing, static fn () => Demand::group(null, 'admins'));
        self::assertCode(Code::InvalidArgument, static fn () => Demand::group($identity));
        $refused = self::assertCode(Code::GroupRequired, static fn () => Demand::group($identity, ...\range('a', 'f')));
        self::assertSame(403, $refused->status());
        self::assertSame('{"error":"group_required"}', $refused->body());
        self::assertArrayNotHasKey('WWW-Authenticate', $refused->headers());
    }

    /** @dataProvider durations */
    public function testDurations(mixed $leeway, ?string $complaint): void
    {
        $make = static fn () => Verifier::of(['route' => 'https://app.example.com', 'leeway' => $leeway], false);
        if ($complaint === null) {
            $make();
            $this->addToAssertionCount(1);
        } else {
            self::assertStringContainsString($complaint, self::assertCode(Code::InvalidOptions, $make)->getMessage());
        }
    }

    public static function durations(): array
    {
        return [
            'an integer' => [30, null],
            'a minute' => [new DateInterval('PT1M'), null],
            'an hour and a second' => [new DateInterval('PT1H1S'), 'leeway'],
            'a month' => [new DateInterval('P1M'), 'days, hours'],
            'of two dates' => [\date_diff(\date_create('2026-01-31 10:00'), \date_create('2026-01-31 10:30')), null],
            'half a second' => [DateInterval::createFromDateString('500 milliseconds'), 'whole seconds'],
            'backwards' => [\date_diff(\date_create('@60'), \date_create('@0')), 'leeway'],
            'a float' => [30.5, 'leeway'],
            'a whole float' => [30.0, null],
            'a string' => ['30', 'leeway'],
            'an object' => [new \ArrayObject(), 'ArrayObject'],
            'no number' => [NAN, 'JSON'],
            'no UTF-8' => ["\xff", 'JSON'],
        ];
    }

    public function testOptionsGetThereAsTheyAre(): void
    {
        $make = static fn (array $options) => static fn () => Verifier::of($options + ['route' => 'https://app.example.com'], false);
        $cases = [
            [['rout' => 'x'], 'route'],
            [['expect_claims' => ['a']], 'expect_claims'],
            [['expect_claims' => ['a' => new stdClass()]], 'expect_claims'],
            [['require_group' => []], 'require_group'],
            [['require_group' => ['x' => 'admins']], 'require_group'],
            [['require_group' => null], 'require_group'],
            [['jwks' => ['keys' => []], 'jwks_url' => 'https://a.example/'], 'jwks_url'],
            [['optional' => 1], 'optional'],
        ];
        foreach ($cases as [$options, $named]) {
            $refused = self::assertCode(Code::InvalidOptions, $make($options));
            self::assertStringContainsString($named, $refused->getMessage(), \json_encode($options));
        }
        Verifier::of(['route' => 'https://app.example.com', 'expect_claims' => []], false); // an empty object
        $this->expectException(\TypeError::class);
        new Options('https://app.example.com', leeway: '30');
    }

    public function testTheEnvironment(): void
    {
        self::assertSame([], \preg_grep('/^POMERIUM_JWT_(?!LIBRARY$)/', \array_keys(Environment::variables())));
        $_ENV['POMERIUM_JWT_LEEWAY'] = '1';
        $_SERVER['POMERIUM_JWT_LEEWAY'] = '2';
        \putenv('POMERIUM_JWT_LEEWAY=3');
        $_SERVER['pomerium_jwt_misspelt'] = 'x';
        $_SERVER['HTTP_POMERIUM_JWT_REQUIRE_GROUP'] = 'of a client';
        $_SERVER['HTTP_REDIRECT_POMERIUM_JWT_TIMEOUT'] = 'of a client';
        $_SERVER['REDIRECT_REDIRECT_POMERIUM_JWT_OPTIONAL'] = 'of a rule';
        $_SERVER['REDIRECT_POMERIUM_JWT_LEEWAY'] = 'of a rule';
        try {
            $found = Environment::variables();
            self::assertSame('of a rule', $found['POMERIUM_JWT_OPTIONAL']);
            self::assertArrayNotHasKey('POMERIUM_JWT_TIMEOUT', $found);
            self::assertSame('3', $found['POMERIUM_JWT_LEEWAY']);
            self::assertSame('x', $found['pomerium_jwt_misspelt']);
            self::assertArrayNotHasKey('HTTP_POMERIUM_JWT_REQUIRE_GROUP', $found);
        } finally {
            unset($_ENV['POMERIUM_JWT_LEEWAY'], $_SERVER['POMERIUM_JWT_LEEWAY'], $_SERVER['pomerium_jwt_misspelt']);
            unset($_SERVER['HTTP_POMERIUM_JWT_REQUIRE_GROUP'], $_SERVER['HTTP_REDIRECT_POMERIUM_JWT_TIMEOUT']);
            unset($_SERVER['REDIRECT_REDIRECT_POMERIUM_JWT_OPTIONAL'], $_SERVER['REDIRECT_POMERIUM_JWT_LEEWAY']);
            \putenv('POMERIUM_JWT_LEEWAY');
        }
    }

    public function testOptionsOverTheEnvironment(): void
    {
        $variables = ['POMERIUM_JWT_ROUTE' => 'https://env.example', 'POMERIUM_JWT_REQUIRE_GROUP' => 'admins', 'PATH' => '/'];
        $verifier = Verifier::overEnvironment(['exempt_paths' => ['/health']], $variables);
        self::assertNull($verifier->warning());
        self::assertStringContainsString('env.example', $verifier->summary());
        self::assertStringContainsString('admins', $verifier->summary());
        $verifier = Verifier::overEnvironment(new Options(requireGroup: 'staff'), $variables);
        self::assertStringContainsString('POMERIUM_JWT_REQUIRE_GROUP', $verifier->warning());
        self::assertStringNotContainsString('admins', $verifier->summary());
        foreach (['POMERIUM_JWT_REQUIRED_GROUPS', 'pomerium_jwt_route'] as $name) {
            $make = static fn () => Verifier::overEnvironment([], $variables + [$name => 'secret']);
            $message = self::assertCode(Code::InvalidOptions, $make)->getMessage();
            self::assertStringContainsString($name, $message);
            self::assertStringNotContainsString('secret', $message);
        }
    }

    public function testLogoutUrl(): void
    {
        self::assertSame('/.pomerium/sign_out', logout_url());
        $expected = '/.pomerium/sign_out?pomerium_redirect_uri=https%3A%2F%2Fapp.example.com%2Fbye%3Fa%3Db%26c%20d';
        self::assertSame($expected, logout_url('https://app.example.com/bye?a=b&c d'));
    }

    private static function verifier(): Verifier
    {
        return Verifier::of((array) self::$genuine->options, false);
    }

    private static function assertCode(Code $code, callable $call): VerifyException
    {
        try {
            $call();
        } catch (VerifyException $refused) {
            self::assertSame($code, $refused->code(), $refused->getMessage());
            self::assertSame($code->number(), $refused->getCode());
            self::assertStringNotContainsString('eyJ', (string) $refused);
            return $refused;
        }
        self::fail("nothing was refused, and $code->value was expected");
    }

    private static function sorted(array $fields): array
    {
        $names = \array_keys($fields);
        \sort($names);
        return $names;
    }

    private static function resident(): int
    {
        \preg_match('/^VmRSS:\s+(\d+) kB$/m', \file_get_contents('/proc/self/status'), $found);
        return (int) $found[1];
    }
}
