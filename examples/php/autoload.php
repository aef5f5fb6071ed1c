<?php

// In an application of yours: require __DIR__ . '/vendor/autoload.php';

declare(strict_types=1);

require __DIR__ . '/../../clients/php/autoload.php';
