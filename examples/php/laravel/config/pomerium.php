<?php

// As `php artisan vendor:publish --tag=pomerium-config` writes it, with a middleware for tests.

return ['front' => getenv('REWRITE') ? [App\RewritePath::class] : []];
