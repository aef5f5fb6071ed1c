<?php

// As Laravel's own skeleton; Debian's packages are in PHP's include path.

declare(strict_types=1);

use Illuminate\Contracts\Debug\ExceptionHandler;
use Illuminate\Contracts\Http\Kernel;
use Illuminate\Foundation\Application;
use Illuminate\Foundation\Exceptions\Handler;

require_once 'Illuminate/autoload.php';
require_once __DIR__ . '/../../autoload.php';
require_once __DIR__ . '/../app/Kernel.php';
require_once __DIR__ . '/../app/RewritePath.php';
require_once __DIR__ . '/../app/RouteServiceProvider.php';

$storage = getenv('STORAGE') ?: sys_get_temp_dir() . '/pomerium-jwt-laravel-' . posix_geteuid();
foreach (['framework/views', 'framework/sessions', 'framework/cache', 'logs', 'bootstrap'] as $folder) {
    is_dir("$storage/$folder") || mkdir("$storage/$folder", 0700, true) || is_dir("$storage/$folder");
}

$app = new Application(dirname(__DIR__));
$app->useStoragePath($storage);
foreach (['SERVICES', 'PACKAGES', 'CONFIG', 'ROUTES', 'EVENTS'] as $cache) {
    $_ENV["APP_{$cache}_CACHE"] = "$storage/bootstrap/" . strtolower($cache) . '.php';
}
$app->singleton(Kernel::class, App\Kernel::class);
$app->singleton(Illuminate\Contracts\Console\Kernel::class, Illuminate\Foundation\Console\Kernel::class);
$app->singleton(ExceptionHandler::class, Handler::class);

return $app;
