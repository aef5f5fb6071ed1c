<?php

declare(strict_types=1);

use Symfony\Component\HttpFoundation\Request;

$kernel = require __DIR__ . '/../bootstrap.php';
$response = $kernel->handle($request = Request::createFromGlobals());
$response->send();
$kernel->terminate($request, $response);
