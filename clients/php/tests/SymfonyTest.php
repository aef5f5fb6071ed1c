<?php

declare(strict_types=1);

namespace PomeriumJwt\Tests;

use PHPUnit\Framework\TestCase;
use PomeriumJwt\HttpFoundation\RequestFacts;
use PomeriumJwt\Testing\TestIssuer;
use Symfony\Component\HttpFoundation\Request;
use Symfony\Component\HttpFoundation\Response;

require_once 'Symfony/Bundle/FrameworkBundle/autoload.php';
require_once 'Symfony/Bundle/SecurityBundle/autoload.php';

/**
 * The bundle in an application with sessions and access control, with real tokens.
 */
final class SymfonyTest extends TestCase
{
    private static TestIssuer $issuer;

    public static function setUpBeforeClass(): void
    {
        self::$issuer = new TestIssuer();
    }

    public function testTheAuthenticatorReadsWhatTheListenerHasVerified(): void
    {
        $kernel = self::kernel(['group_map' => ['staff' => 'ROLE_STAFF', 'x' => 'ROLE_X']]);
        $alice = ['user' => 'alice', 'roles' => ['ROLE_USER'], 'subject' => 'alice'];
        self::assertAnswer(200, $alice, self::ask($kernel, '/user', []));
        $bob = ['user' => 'bob', 'roles' => ['ROLE_USER', 'ROLE_STAFF'], 'subject' => 'bob'];
        self::assertAnswer(200, $bob, self::ask($kernel, '/staff', ['sub' => 'bob', 'groups' => ['staff']]));
        self::assertSame(403, self::ask($kernel, '/staff', [])->getStatusCode());
        self::assertAnswer(401, ['error' => 'token_missing'], self::ask($kernel, '/user'));
        self::assertAnswer(401, ['error' => 'token_expired'], self::ask($kernel, '/user', ['exp' => \time() - 600]));
        self::assertAnswer(401, ['error' => 'token_missing'], self::ask($kernel, '/unknown/path'));
    }

    public function testARefusalIsAsItIs(): void
    {
        $answer = self::ask(self::kernel([]), '/user', null, ['HTTP_X_HTTP_METHOD_OVERRIDE' => 'HEAD'], 'POST');
        self::assertSame('{"error":"token_missing"}', $answer->getContent());
        self::assertSame('no-store', $answer->headers->get('Cache-Control'));
        self::assertSame('Bearer error="invalid_token"', $answer->headers->get('WWW-Authenticate'));
    }

    public function testNobodyIsAUser(): void
    {
        $kernel = self::kernel(['options' => ['optional' => true, 'allow_anonymous' => true]]);
        self::assertAnswer(200, ['user' => null, 'roles' => null, 'subject' => null], self::ask($kernel, '/user'));
        self::assertAnswer(200, ['user' => null, 'roles' => null, 'subject' => ''], self::ask($kernel, '/user', ['sub' => '']));
        self::assertAnswer(401, ['error' => 'token_missing'], self::ask($kernel, '/staff'));
        self::assertAnswer(401, ['error' => 'subject_missing'], self::ask($kernel, '/staff', ['sub' => '']));
    }

    public function testDemandsOfAControllerTellNothingElse(): void
    {
        $answer = self::ask(self::kernel([]), '/demand', []);
        self::assertAnswer(403, ['error' => 'group_required'], $answer);
        self::assertStringNotContainsString('secret', (string) $answer);
    }

    public function testASubRequestIsPartOfAVerifiedOne(): void
    {
        $kernel = self::kernel([]);
        self::assertSame('alice', \json_decode(self::ask($kernel, '/forward', [])->getContent())->user);
        self::assertAnswer(401, ['error' => 'token_missing'], self::ask($kernel, '/forward'));
    }

    public function testASessionIsOfOneUser(): void
    {
        $kernel = self::kernel(['options' => ['exempt_paths' => ['/public']]]);
        $cookies = static fn (Response $answer): array => \array_column(\array_map(
            static fn ($cookie): array => [$cookie->getName(), $cookie->getValue()],
            $answer->headers->getCookies()
        ), 1, 0);
        $first = self::ask($kernel, '/cart?put=books', []);
        $session = $cookies($first);
        self::assertCount(1, $session);
        self::assertAnswer(200, ['cart' => 'books'], self::ask($kernel, '/cart', [], [], 'GET', $session));
        // By the session alone nobody is signed in, though Symfony would
        $public = ['user' => null, 'roles' => null, 'subject' => null];
        self::assertAnswer(200, $public, self::ask($kernel, '/public', null, [], 'GET', $session));
        self::assertAnswer(200, ['cart' => 'books'], self::ask($kernel, '/cart', [], [], 'GET', $session));
        $other = self::ask($kernel, '/cart', ['sub' => 'mallory'], [], 'GET', $session);
        self::assertAnswer(200, ['cart' => null], $other);
        self::assertNotSame($session, $cookies($other));
    }

    public function testNoPathIsExemptOfWhichTheRouterGetsTheTailAlone(): void
    {
        // As RewriteRule ^(.*)$ public/$1 has it: Symfony takes everything up to the script's name for the base
        $server = ['SCRIPT_NAME' => '/public/index.php', 'SCRIPT_FILENAME' => '/srv/public/index.php'];
        foreach (['/health/public/index.php/admin' => '', '/public/health' => '/public/health', '/health' => '/health'] as $uri => $path) {
            $request = new Request(server: $server + ['REQUEST_URI' => $uri]);
            self::assertSame($path, RequestFacts::of($request, 'X-Pomerium-Jwt-Assertion')->path, $uri);
        }
    }

    public function testASessionOfOneRequestIsOfOneUserToo(): void
    {
        $kernel = self::kernel([]);
        $first = self::ask($kernel, '/cart?put=books', []);
        $session = [];
        foreach ($first->headers->getCookies() as $cookie) {
            $session[$cookie->getName()] = $cookie->getValue();
        }
        self::assertCount(1, $session);
        $other = self::ask($kernel, '/cart', ['sub' => 'mallory'], [], 'GET', $session);
        self::assertAnswer(200, ['cart' => null], $other);
    }

    public function testUsersOfTheApplication(): void
    {
        $users = ['memory' => ['users' => ['e7' => ['roles' => ['ROLE_STAFF']]]]];
        $kernel = self::kernel(['username_claim' => 'employee'], $users);
        $expected = ['user' => 'e7', 'roles' => ['ROLE_STAFF'], 'subject' => 'alice'];
        self::assertAnswer(200, $expected, self::ask($kernel, '/staff', ['employee' => 'e7']));
        // Unknown to the application, or without a name: nobody
        self::assertAnswer(403, ['error' => 'group_required'], self::ask($kernel, '/staff', ['employee' => 'e8']));
        self::assertAnswer(403, ['error' => 'group_required'], self::ask($kernel, '/staff', ['employee' => '']));
        $nobody = ['user' => null, 'roles' => null, 'subject' => 'alice'];
        self::assertAnswer(200, $nobody, self::ask($kernel, '/user', []));
    }

    public function testWrongOptionsAreAnAnswerToEachRequest(): void
    {
        $kernel = self::kernel(['options' => ['rout' => 'https://app.example.com']]);
        self::assertAnswer(500, ['error' => 'invalid_options'], self::ask($kernel, '/user', []));
        self::assertAnswer(500, ['error' => 'invalid_options'], self::ask($kernel, '/user'));
    }

    public function testListenersInFrontAndBehind(): void
    {
        // Listeners to kernel.response see refusals too: that is how CORS marks them
        self::assertSame('yes', self::ask(self::kernel([]), '/user')->headers->get('X-Marked'));
        $kernel = self::kernel(['priority' => 240]);
        $kernel->boot();
        $order = $kernel->getContainer()->get('event_dispatcher')->getListeners('kernel.request');
        $names = \array_map(static fn (array $listener): string => $listener[0]::class . '::' . $listener[1], $order);
        $ours = \array_search('PomeriumJwt\Symfony\VerifyListener::verify', $names, true);
        self::assertLessThan(\array_search('Symfony\Component\HttpKernel\EventListener\RouterListener::onKernelRequest', $names, true), $ours);
    }

    public function testItIsAskedFirst(): void
    {
        $kernel = self::kernel([]);
        $kernel->boot();
        $first = $kernel->getContainer()->get('event_dispatcher')->getListeners('kernel.request')[0];
        self::assertSame('PomeriumJwt\Symfony\VerifyListener::verify', $first[0]::class . '::' . $first[1]);
    }

    private static function kernel(array $pomerium, ?array $users = null): SymfonyKernel
    {
        $pomerium['options'] = self::$issuer->options()->toArray() + ($pomerium['options'] ?? []);
        return $users === null ? new SymfonyKernel($pomerium) : new SymfonyKernel($pomerium, $users);
    }

    /** The answer to a request with a token of these claims, or without one. */
    private static function ask(
        SymfonyKernel $kernel,
        string $path,
        ?array $claims = null,
        array $server = [],
        string $method = 'GET',
        array $cookies = [],
    ): Response {
        if ($claims !== null) {
            $server['HTTP_X_POMERIUM_JWT_ASSERTION'] = self::$issuer->mint($claims);
        }
        $request = Request::create($path, $method, [], $cookies, [], $server);
        $response = $kernel->handle($request);
        $kernel->terminate($request, $response);
        return $response;
    }

    private static function assertAnswer(int $status, array $body, Response $answer): void
    {
        self::assertSame([$status, \json_encode($body)], [$answer->getStatusCode(), $answer->getContent()]);
    }
}
