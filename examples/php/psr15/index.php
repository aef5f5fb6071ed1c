<?php

// A PSR-15 application behind Pomerium. The environment says which one:
// POMERIUM_JWT_ROUTE=https://app.example.com POMERIUM_JWT_EXEMPT_PATHS=/health PORT=8080 ./serve psr15

declare(strict_types=1);

use Nyholm\Psr7\Factory\Psr17Factory;
use Nyholm\Psr7\Response;
use PomeriumJwt\Demand;
use PomeriumJwt\Guard;
use PomeriumJwt\Psr15\PomeriumMiddleware;
use PomeriumJwt\Verifier;
use Psr\Http\Message\ResponseInterface;
use Psr\Http\Message\ServerRequestInterface;
use Psr\Http\Server\RequestHandlerInterface;

require __DIR__ . '/../autoload.php';
require 'Nyholm/Psr7/autoload.php';
require __DIR__ . '/interfaces.php';
require __DIR__ . '/globals.php';

$guard = new Guard(Verifier::overEnvironment());

$application = new class ($guard->verifier) implements RequestHandlerInterface {
    public function __construct(private readonly Verifier $verifier)
    {
    }

    public function handle(ServerRequestInterface $request): ResponseInterface
    {
        $identity = $request->getAttribute('pomerium'); // null if the request passed without one
        $shown = in_array($request->getMethod(), ['GET', 'HEAD'], true) ? $request->getUri()->getPath() : 'anything else';
        $answer = match ($shown) {
            '/' => $identity,
            '/admin' => Demand::group($identity, 'admins'),
            '/health' => $this->verifier->health(),
            default => ['reached' => true, 'subject' => $identity?->subject],
        };
        return new Response(200, ['Content-Type' => 'application/json'], json_encode($answer, JSON_THROW_ON_ERROR));
    }
};

$factory = new Psr17Factory();
$pomerium = new PomeriumMiddleware($guard, $factory, $factory);
$request = request_from_globals();
if ($rewrite = getenv('REWRITE')) { // a middleware in front that changes paths: what it makes exempt is not
    [$before, $after] = explode('=', $rewrite);
    if ($request->getUri()->getPath() === $before) {
        $request = $request->withUri($request->getUri()->withPath($after));
    }
}
send_response($pomerium->process($request, $application));
