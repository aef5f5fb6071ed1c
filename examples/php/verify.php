<?php

// Reads a token from standard input and says who is calling. The environment says what to check:
// POMERIUM_JWT_ROUTE=https://app.example.com php verify.php < token

declare(strict_types=1);

use PomeriumJwt\Kind;
use PomeriumJwt\Verifier;
use PomeriumJwt\VerifyException;

require __DIR__ . '/autoload.php';

try {
    $identity = Verifier::overEnvironment()->verify(rtrim(stream_get_contents(STDIN)));
    echo $identity->subject, ' ', $identity->email ?? '-', "\n";
} catch (VerifyException $refused) {
    fwrite(STDERR, "{$refused->code()->value}: {$refused->getMessage()}\n");
    exit(match ($refused->kind()) {
        Kind::Token => 1,
        Kind::Options => 2,
        Kind::Keys => 3,
        Kind::Access => 4,
        Kind::Internal => 70,
    });
}
