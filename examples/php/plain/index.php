<?php

// An application without a framework, behind Pomerium. The environment says which one:
// POMERIUM_JWT_ROUTE=https://app.example.com POMERIUM_JWT_EXEMPT_PATHS=/health PORT=8080 ./serve plain

declare(strict_types=1);

use PomeriumJwt\Demand;
use PomeriumJwt\Verifier;
use PomeriumJwt\VerifyException;

use function PomeriumJwt\protect;
use function PomeriumJwt\refuse;

require __DIR__ . '/../autoload.php';

$identity = protect(); // from here on the request is verified; null if it passed without an identity

$path = explode('?', $_SERVER['REQUEST_URI'])[0];
$asked = in_array($_SERVER['REQUEST_METHOD'], ['GET', 'HEAD'], true) ? $path : 'anything else';
try {
    $answer = match ($asked) {
        '/' => $identity,
        '/admin' => Demand::group($identity, 'admins'),
        '/health' => Verifier::overEnvironment()->health(),
        default => ['reached' => true, 'subject' => $identity?->subject],
    };
} catch (VerifyException $refused) {
    refuse($refused);
}
header('Content-Type: application/json');
echo json_encode($answer, JSON_THROW_ON_ERROR);
