<?php

use PomeriumJwt\Environment;

return [
    /*
     * Options of the verifier, such as 'exempt_paths' => ['/health']. They are laid over POMERIUM_JWT_ROUTE and so on: what
     * is written here wins. All have a documentation comment in PomeriumJwt\Options.
     */
    'options' => [],

    /*
     * So that variables of .env are still known after `php artisan config:cache`, which stops reading it.
     */
    'environment' => Environment::variables(),

    /*
     * Middleware that stands in front of the verification: CORS, so that refusals have its headers. It runs unverified.
     */
    'front' => array_values(array_filter(
        ['Illuminate\Http\Middleware\HandleCors', 'Fruitcake\Cors\HandleCors'],
        'class_exists'
    )),

    /*
     * Whose account an identity is, if the guard has a user provider: the one with this claim in this column. A column
     * that is null is not written.
     */
    'account' => [
        'username_claim' => 'sub',
        'username_column' => 'pomerium_subject',
        'email_claim' => 'email',
        'email_column' => 'email',
        'name_claim' => 'name',
        'name_column' => 'name',
        'groups_claim' => 'groups',
        'groups_column' => null,
        'auto_sign_up' => false,
    ],
];
