<?php

// Debian's packages are in PHP's include path.

declare(strict_types=1);

use App\Kernel;

require_once 'Symfony/Bundle/FrameworkBundle/autoload.php';
require_once 'Symfony/Bundle/SecurityBundle/autoload.php';
require_once __DIR__ . '/../autoload.php';
foreach (['Kernel', 'Controllers', 'RewritePath'] as $class) {
    require_once __DIR__ . "/src/$class.php";
}

return new Kernel('prod', false);
