<?php

return [
    'name' => 'example',
    'env' => 'production',
    'debug' => false,
    'key' => 'base64:' . base64_encode(hash('sha256', (string) getenv('APP_KEY'), true)),
    'cipher' => 'AES-256-CBC',
    'timezone' => 'UTC',
    'locale' => 'en',
    'providers' => [
        Illuminate\Auth\AuthServiceProvider::class,
        Illuminate\Cookie\CookieServiceProvider::class,
        Illuminate\Database\DatabaseServiceProvider::class,
        Illuminate\Encryption\EncryptionServiceProvider::class,
        Illuminate\Filesystem\FilesystemServiceProvider::class,
        Illuminate\Hashing\HashServiceProvider::class,
        Illuminate\Session\SessionServiceProvider::class,
        Illuminate\Translation\TranslationServiceProvider::class,
        Illuminate\View\ViewServiceProvider::class,
        PomeriumJwt\Laravel\PomeriumServiceProvider::class, // Composer finds it by itself
        App\RouteServiceProvider::class,
    ],
    'aliases' => [],
];
