<?php

declare(strict_types=1);

namespace PomeriumJwt\Psr15;

use PomeriumJwt\Guard;
use PomeriumJwt\Request;
use PomeriumJwt\VerifyException;
use Psr\Http\Message\ResponseFactoryInterface;
use Psr\Http\Message\ResponseInterface;
use Psr\Http\Message\ServerRequestInterface;
use Psr\Http\Message\StreamFactoryInterface;
use Psr\Http\Server\MiddlewareInterface;
use Psr\Http\Server\RequestHandlerInterface;

/**
 * Lets verified requests pass and answers the others itself. Put it in front of all other middleware; CORS middleware
 * alone stands before it. The request attribute `pomerium` is the identity, or null if the request passed without one.
 *
 * A VerifyException of a handler, such as of Demand::group(), is answered too, unless middleware in between catches it.
 */
final class PomeriumMiddleware implements MiddlewareInterface
{
    public const ATTRIBUTE = 'pomerium';

    public function __construct(
        private readonly Guard $guard,
        private readonly ResponseFactoryInterface $responses,
        private readonly StreamFactoryInterface $streams,
    ) {
    }

    public function process(ServerRequestInterface $request, RequestHandlerInterface $handler): ResponseInterface
    {
        try {
            $identity = $this->guard->admit($this->facts($request));
            return $handler->handle($request->withAttribute(self::ATTRIBUTE, $identity));
        } catch (VerifyException $refused) {
            return $this->response($refused, $request->getUri()->getPath());
        }
    }

    private function facts(ServerRequestInterface $request): Request
    {
        return new Request(
            \trim(\implode(',', $request->getHeader($this->guard->verifier->headerName())), " \t"),
            $this->path($request),
            Request::isUpgrade($request->getHeaderLine('Upgrade')),
        );
    }

    /** What the client sent, if that is also what comes after us routes by. */
    private function path(ServerRequestInterface $request): string
    {
        $sent = Request::pathOf((string) ($request->getServerParams()['REQUEST_URI'] ?? ''));
        return $request->getMethod() !== 'CONNECT' && $sent === $request->getUri()->getPath() ? $sent : '';
    }

    private function response(VerifyException $refused, string $path): ResponseInterface
    {
        $refusal = $this->guard->refuse($refused, $path);
        $response = $this->responses->createResponse($refusal->status)
            ->withBody($this->streams->createStream($refusal->body));
        foreach ($refusal->headers as $name => $value) {
            $response = $response->withHeader($name, $value);
        }
        return $response;
    }
}
