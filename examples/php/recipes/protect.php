<?php

// For applications of many scripts, such as WordPress and Nextcloud: php_admin_value[auto_prepend_file] = /path/protect.php
// in the pool of php-fpm. It runs before every script, so that none is reached unverified.

declare(strict_types=1);

require_once __DIR__ . '/../autoload.php';

if (PHP_SAPI !== 'cli') { // wp-cli and occ are the operator's
    $GLOBALS['pomerium'] = PomeriumJwt\protect();
}
