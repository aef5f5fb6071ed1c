<?php

// The package as it lies in the repository, and Debian's packages from the include path.

declare(strict_types=1);

namespace PomeriumJwt\Tests;

require_once __DIR__ . '/../autoload.php';

\spl_autoload_register(static function (string $class): void {
    $file = __DIR__ . '/' . \strtr(\substr($class, \strlen(__NAMESPACE__) + 1), '\\', '/') . '.php';
    if (\str_starts_with($class, __NAMESPACE__ . '\\') && \is_file($file)) {
        require $file;
    }
});

const REPOSITORY = __DIR__ . '/../../..';
