<?php

// Builds the container before the first request, as `bin/console cache:warmup` does.

declare(strict_types=1);

(require __DIR__ . '/bootstrap.php')->boot();
