<?php

// For opcache.preload while ffi.enable is `preload`: only what is compiled here may use FFI.

declare(strict_types=1);

foreach (['Loader', 'Native'] as $class) {
    opcache_compile_file(__DIR__ . "/src/$class.php");
}
