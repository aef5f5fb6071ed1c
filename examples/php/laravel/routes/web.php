<?php

declare(strict_types=1);

use Illuminate\Http\Request;
use Illuminate\Support\Facades\Route;
use PomeriumJwt\Guard;

$identity = static fn (Request $request) => response(json_encode($request->pomerium()))
    ->header('Content-Type', 'application/json');

Route::get('/', $identity); // null if the request passed without one

Route::get('/admin', $identity)->middleware('pomerium.group:admins');

Route::get('/health', static fn (Guard $guard) => $guard->verifier->health());

// Everything else, to show that it was reached
$methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'QUERY', 'BREW'];
$reached = static fn (Request $request) => ['reached' => true, 'subject' => $request->pomerium()?->subject];
Route::match($methods, '/{any?}', $reached)->where('any', '.*');
