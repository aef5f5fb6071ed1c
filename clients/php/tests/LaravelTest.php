<?php

declare(strict_types=1);

namespace PomeriumJwt\Tests;

use Closure;
use Illuminate\Contracts\Console\Kernel as Console;
use Illuminate\Contracts\Http\Kernel;
use Illuminate\Database\Eloquent\Model;
use Illuminate\Foundation\Auth\User;
use Illuminate\Foundation\Testing\TestCase;
use Illuminate\Http\Request;
use Illuminate\Support\Facades\Auth;
use Illuminate\Support\Facades\Route;
use Illuminate\Support\Facades\Schema;
use PomeriumJwt\Code;
use PomeriumJwt\Guard;
use PomeriumJwt\Identity;
use PomeriumJwt\Laravel\Accounts;
use PomeriumJwt\Laravel\ActsAsPomeriumUser;
use PomeriumJwt\Laravel\PomeriumUser;
use PomeriumJwt\VerifyException;
use Symfony\Component\HttpFoundation\Response;

require_once 'Illuminate/autoload.php';

/**
 * The example application of Laravel, with real tokens.
 */
final class LaravelTest extends TestCase
{
    use ActsAsPomeriumUser;

    private static string $storage;

    public static function setUpBeforeClass(): void
    {
        self::$storage = Scratch::folder();
    }

    public function createApplication()
    {
        \putenv('STORAGE=' . self::$storage);
        $app = require REPOSITORY . '/examples/php/laravel/bootstrap/app.php';
        $app->make(Console::class)->bootstrap();
        $app->make('config')->set('logging.default', 'null');
        $app->make('config')->set('logging.channels.null', ['driver' => 'monolog', 'handler' => \Monolog\Handler\NullHandler::class]);
        return $app;
    }

    protected function tearDown(): void
    {
        Accounts::resolveUsing(null);
        parent::tearDown();
    }

    public function testActingAsPomeriumUser(): void
    {
        $this->actingAsPomeriumUser(['sub' => 'ada', 'groups' => ['admins']]);
        self::assertSame('ada', $this->get('/admin')->assertOk()->json('subject'));
        $this->actingAsPomeriumUser();
        self::assertSame('alice', $this->get('/')->assertOk()->json('subject'));
        $this->get('/admin')->assertStatus(403)->assertExactJson(['error' => 'group_required']);
        $this->flushHeaders()->get('/')->assertStatus(401)->assertExactJson(['error' => 'token_missing']);
        $this->actingAsPomeriumUser(['exp' => \time() - 600])->get('/')->assertExactJson(['error' => 'token_expired']);
    }

    public function testTheGuardReadsWhatTheMiddlewareHasVerified(): void
    {
        Route::get('/user', static fn () => ['user' => Auth::user()?->identity->email, 'id' => Auth::id(), 'guest' => Auth::guest()]);
        $this->moveToFront('/user');
        $this->actingAsPomeriumUser();
        $this->get('/user')->assertExactJson(['user' => 'alice@example.com', 'id' => 'alice', 'guest' => false]);
        $this->actingAsPomeriumUser(['sub' => 'bob'])->get('/user')->assertJson(['id' => 'bob']);
        self::assertFalse(Auth::validate(['email' => 'alice@example.com', 'password' => '']));
        // Without the middleware a token is nobody's
        $this->withoutMiddleware()->get('/user')->assertExactJson(['user' => null, 'id' => null, 'guest' => true]);
    }

    public function testNobodyIsAUser(): void
    {
        Route::get('/user', static fn (Request $request) => ['guest' => Auth::guest(), 'subject' => $request->pomerium()?->subject]);
        $this->moveToFront('/user');
        $this->app['config']->set('pomerium.options', ['allow_anonymous' => true, 'optional' => true]);
        $this->actingAsPomeriumUser(['sub' => ''])->get('/user')->assertExactJson(['guest' => true, 'subject' => '']);
        $this->flushHeaders()->get('/user')->assertExactJson(['guest' => true, 'subject' => null]);
        Route::get('/signed-in', static fn () => [])->middleware('pomerium.user');
        $this->moveToFront('/signed-in');
        $this->get('/signed-in')->assertStatus(401)->assertExactJson(['error' => 'token_missing']);
        $this->actingAsPomeriumUser(['sub' => ''])->get('/signed-in')->assertExactJson(['error' => 'subject_missing']);
    }

    public function testAccountsInADatabase(): void
    {
        $this->database();
        $this->actingAsPomeriumUser(['name' => 'Alice', 'groups' => ['a', 'b']]);
        $this->get('/account')->assertExactJson(['account' => null]);
        self::assertSame(0, Account::count());

        $this->app['config']->set('pomerium.account.auto_sign_up', true);
        $this->app['config']->set('pomerium.account.groups_column', 'groups');
        Auth::forgetGuards();
        $expected = ['pomerium_subject' => 'alice', 'email' => 'alice@example.com', 'name' => 'Alice', 'groups' => '["a","b"]'];
        $this->get('/account')->assertJson(['account' => $expected]);
        $this->get('/account')->assertJson(['account' => $expected]);
        self::assertSame(1, Account::count());

        $this->actingAsPomeriumUser(['email' => 'new@example.com', 'name' => 'Alice', 'groups' => []]);
        $this->get('/account')->assertJson(['account' => ['email' => 'new@example.com', 'groups' => '[]'] + $expected]);
        self::assertSame(['new@example.com'], Account::pluck('email')->all());
        $this->actingAsPomeriumUser(['sub' => 'bob'])->get('/account')->assertJson(['account' => ['name' => 'Bob']]);
        self::assertSame(2, Account::count());
    }

    public function testClaimsAreMapped(): void
    {
        $this->database();
        $this->app['config']->set('pomerium.account', [
            'username_claim' => 'employee', 'username_column' => 'pomerium_subject', 'name_claim' => 'nick',
            'auto_sign_up' => true,
        ] + $this->app['config']->get('pomerium.account'));
        $this->actingAsPomeriumUser(['employee' => 'e7', 'nick' => 'Al']);
        $this->get('/account')->assertJson(['account' => ['pomerium_subject' => 'e7', 'name' => 'Al']]);
        $this->actingAsPomeriumUser()->get('/account')->assertExactJson(['account' => null]); // without the claim: nobody's
        self::assertSame(1, Account::count());
    }

    public function testAFunctionFindsAccounts(): void
    {
        $this->database();
        Accounts::resolveUsing(static fn (Identity $identity) => $identity->inGroup('staff') ? new PomeriumUser($identity) : null);
        Route::get('/id', static fn () => ['id' => Auth::id()]);
        $this->moveToFront('/id');
        $this->actingAsPomeriumUser()->get('/id')->assertExactJson(['id' => null]);
        $this->actingAsPomeriumUser(['groups' => ['staff']])->get('/id')->assertExactJson(['id' => 'alice']);
    }

    public function testASessionIsOfOneUser(): void
    {
        Route::middleware('web')->get('/cart', static function (Request $request) {
            $before = $request->session()->get('cart');
            $request->session()->put('cart', $request->query('put', $before));
            return ['cart' => $before];
        });
        $this->moveToFront('/cart');
        $cookie = 'example_session';
        $first = $this->actingAsPomeriumUser()->get('/cart?put=books');
        $session = $first->getCookie($cookie, false)->getValue();
        $this->withUnencryptedCookie($cookie, $session);
        $this->get('/cart')->assertExactJson(['cart' => 'books']);
        $other = $this->actingAsPomeriumUser(['sub' => 'mallory'])->get('/cart')->assertExactJson(['cart' => null]);
        self::assertNotSame($session, $other->getCookie($cookie, false)->getValue());
        $this->actingAsPomeriumUser()->get('/cart')->assertExactJson(['cart' => null]); // it has ended for everybody
    }

    public function testDemandsOfAControllerTellNothingElse(): void
    {
        $logged = $this->logged();
        $this->app['config']->set('app.debug', true);
        Route::get('/demand', static fn () => throw VerifyException::of(Code::ClaimMismatch, 'the contract of alice'));
        $this->moveToFront('/demand');
        $answer = $this->actingAsPomeriumUser()->get('/demand')->assertStatus(401)->assertExactJson(['error' => 'claim_mismatch']);
        self::assertSame('no-store', $answer->headers->get('Cache-Control'));
        self::assertStringContainsString('refused "/demand": claim_mismatch: the contract of alice', \implode($logged->lines));
        self::assertStringNotContainsString('Exception', \implode($logged->lines));
    }

    public function testWrongOptionsAreAnAnswerToEachRequestAndALineInTheLog(): void
    {
        $logged = $this->logged();
        $this->app['config']->set('app.debug', true);
        $this->app['config']->set('pomerium.options', ['rout' => 'https://app.example.com']);
        $this->get('/health')->assertStatus(500)->assertExactJson(['error' => 'invalid_options']);
        self::assertStringContainsString('rout', \implode($logged->lines));
    }

    public function testVariablesOfACachedConfigurationCount(): void
    {
        $this->app['config']->set('pomerium.environment', ['POMERIUM_JWT_REQUIRE_GROUP' => 'admins']);
        $this->actingAsPomeriumUser()->get('/')->assertExactJson(['error' => 'group_required']);
        $this->actingAsPomeriumUser(['groups' => ['admins']])->get('/')->assertOk();
        self::assertSame([], (require __DIR__ . '/../config/laravel.php')['environment']);
    }

    public function testMiddlewareInFrontMarksRefusals(): void
    {
        $this->app['config']->set('pomerium.front', [Marking::class]);
        $this->actingAsPomeriumUser()->flushHeaders()->get('/')->assertStatus(401)->assertHeader('X-Marked', 'yes');
    }

    public function testItStandsInFrontOfEverything(): void
    {
        $this->app->make(Kernel::class)->pushMiddleware(Marking::class);
        $this->actingAsPomeriumUser()->get('/')->assertOk()->assertHeader('X-Marked', 'yes');
        foreach (['/', '/unknown/path', '/admin?a', '/favicon.ico'] as $path) {
            $answer = $this->flushHeaders()->get($path)->assertStatus(401);
            self::assertFalse($answer->headers->has('X-Marked'), $path);
        }
    }

    /** The example answers every path: this route is asked first. */
    private function moveToFront(string $path): void
    {
        $routes = Route::getRoutes();
        $added = $routes->match(Request::create($path . '/nowhere'))->uri() === '{any?}' ? $routes->getRoutes() : [];
        $collection = new \Illuminate\Routing\RouteCollection();
        \usort($added, static fn ($a, $b) => ($a->uri() === '{any?}') <=> ($b->uri() === '{any?}'));
        foreach ($added as $route) {
            $collection->add($route);
        }
        Route::setRoutes($collection);
    }

    private function database(): void
    {
        $config = $this->app['config'];
        $config->set('database', ['default' => 'test', 'connections' => ['test' => ['driver' => 'sqlite', 'database' => ':memory:']]]);
        $config->set('auth.providers.accounts', ['driver' => 'eloquent', 'model' => Account::class]);
        $config->set('auth.guards.web.provider', 'accounts');
        Model::setConnectionResolver($this->app['db']);
        Schema::create('accounts', static function ($table): void {
            $table->id();
            $table->string('pomerium_subject')->unique();
            $table->string('email')->nullable();
            $table->string('name')->nullable();
            $table->string('groups')->nullable();
        });
        Route::get('/account', static fn () => ['account' => Auth::user()]);
        $this->moveToFront('/account');
    }

    private function logged(): object
    {
        $logger = new class extends \Psr\Log\AbstractLogger {
            /** @var list<string> */
            public array $lines = [];

            public function log($level, $message, array $context = []): void
            {
                $this->lines[] = "$level $message\n";
            }
        };
        $this->app->instance('log', $logger);
        $this->app->instance(\Psr\Log\LoggerInterface::class, $logger);
        return $logger;
    }
}

final class Account extends User
{
    public $timestamps = false;
    protected $table = 'accounts';
}

final class Marking
{
    public function handle(Request $request, Closure $next): Response
    {
        $response = $next($request);
        $response->headers->set('X-Marked', 'yes');
        return $response;
    }
}
