<?php

declare(strict_types=1);

namespace PomeriumJwt\Laravel;

use Illuminate\Contracts\Debug\ExceptionHandler;
use Illuminate\Contracts\Foundation\Application;
use Illuminate\Contracts\Http\Kernel;
use Illuminate\Http\Request;
use Illuminate\Support\Facades\Auth;
use Illuminate\Support\ServiceProvider;
use PomeriumJwt\Environment;
use PomeriumJwt\Guard;
use PomeriumJwt\HttpFoundation\RefusalResponse;
use PomeriumJwt\Identity;
use PomeriumJwt\Verifier;
use PomeriumJwt\VerifyException;

/**
 * Puts the verification in front of the whole application, and gives it the guard driver `pomerium`. The identity of a
 * request is `$request->pomerium()`: null if it passed without one.
 */
final class PomeriumServiceProvider extends ServiceProvider
{
    private const CONFIG = __DIR__ . '/../../config/laravel.php';

    public function register(): void
    {
        $this->mergeConfigFrom(self::CONFIG, 'pomerium');
        $this->app->singleton(Guard::class, static function (Application $app): Guard {
            $config = $app->make('config')->get('pomerium');
            $variables = Environment::variables() + $config['environment'];
            return new Guard(Verifier::overEnvironment($config['options'], $variables), $app->make('log'));
        });
    }

    public function boot(): void
    {
        $this->publishes([self::CONFIG => $this->app->configPath('pomerium.php')], 'pomerium-config');
        $router = $this->app->make('router');
        $router->aliasMiddleware('pomerium.user', RequireUser::class);
        $router->aliasMiddleware('pomerium.group', RequireGroup::class);
        Request::macro('pomerium', function (): ?Identity {
            return VerifyAssertion::identity($this);
        });
        Auth::extend('pomerium', $this->guard(...));
        // After every other provider: who comes last stands in front
        $this->app->booted(function (): void {
            $kernel = $this->app->make(Kernel::class);
            $kernel->prependMiddleware(VerifyAssertion::class);
            $this->app->make('router')->pushMiddlewareToGroup('web', CompareSession::class);
        });
        $this->answerDemands($this->app->make(ExceptionHandler::class));
    }

    private function guard(Application $app, string $name, array $config): PomeriumGuard
    {
        $users = isset($config['provider']) ? Auth::createUserProvider($config['provider']) : null;
        $accounts = new Accounts($users, $app->make('config')->get('pomerium.account'));
        $guard = new PomeriumGuard($accounts, $app->make('request'));
        $app->refresh('request', $guard, 'setRequest');
        return $guard;
    }

    /** What Demand::group() throws in a controller is answered as any refusal: Laravel would show its message. */
    private function answerDemands(ExceptionHandler $handler): void
    {
        if (!\method_exists($handler, 'renderable')) {
            return;
        }
        $handler->reportable(static fn (VerifyException $refused): bool => $refused->status() === 500);
        $handler->renderable(function (VerifyException $refused, $request): RefusalResponse {
            try {
                $guard = $this->app->make(Guard::class);
            } catch (VerifyException $wrong) {
                return new RefusalResponse(Guard::plain($wrong));
            }
            return new RefusalResponse($guard->refuse($refused, $request->getPathInfo()));
        });
    }
}
