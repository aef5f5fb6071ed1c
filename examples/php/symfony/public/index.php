<?php

declare(strict_types=1);

use App\Kernel;
use Symfony\Component\HttpFoundation\Request;

// Debian's packages are in PHP's include path
require_once 'Symfony/Bundle/FrameworkBundle/autoload.php';
require_once 'Symfony/Bundle/SecurityBundle/autoload.php';
require_once __DIR__ . '/../../autoload.php';
foreach (['Kernel', 'Controllers', 'RewritePath'] as $class) {
    require_once __DIR__ . "/../src/$class.php";
}

$kernel = new Kernel('prod', false);
$response = $kernel->handle($request = Request::createFromGlobals());
$response->send();
$kernel->terminate($request, $response);
