<?php

// A request from PHP's globals and a response to the client, as the packages nyholm/psr7-server and
// laminas/laminas-httphandlerrunner do it, which Debian lacks.

declare(strict_types=1);

use Nyholm\Psr7\ServerRequest;
use Nyholm\Psr7\Uri;
use Psr\Http\Message\ResponseInterface;
use Psr\Http\Message\ServerRequestInterface;

function request_from_globals(): ServerRequestInterface
{
    $target = explode('?', $_SERVER['REQUEST_URI'], 2);
    $uri = (new Uri())->withPath($target[0])->withQuery($target[1] ?? '');
    return new ServerRequest($_SERVER['REQUEST_METHOD'], $uri, getallheaders(), null, '1.1', $_SERVER);
}

function send_response(ResponseInterface $response): void
{
    http_response_code($response->getStatusCode());
    foreach ($response->getHeaders() as $name => $values) {
        header("$name: " . implode(', ', $values));
    }
    echo $response->getBody();
}
