<?php

declare(strict_types=1);

namespace PomeriumJwt\Tests;

use PomeriumJwt\Demand;
use PomeriumJwt\Symfony\PomeriumAuthenticator;
use PomeriumJwt\Symfony\PomeriumJwtBundle;
use PomeriumJwt\Symfony\PomeriumUserProvider;
use PomeriumJwt\Symfony\VerifyListener;
use Symfony\Bundle\FrameworkBundle\FrameworkBundle;
use Symfony\Bundle\FrameworkBundle\Kernel\MicroKernelTrait;
use Symfony\Bundle\SecurityBundle\SecurityBundle;
use Symfony\Component\DependencyInjection\Loader\Configurator\ContainerConfigurator;
use Symfony\Component\HttpFoundation\JsonResponse;
use Symfony\Component\HttpFoundation\Request;
use Symfony\Component\HttpFoundation\Response;
use Symfony\Component\HttpKernel\Kernel;
use Symfony\Component\HttpKernel\KernelInterface;
use Symfony\Component\Routing\Loader\Configurator\RoutingConfigurator;

/**
 * An application with sessions, users and access control; `$pomerium` is its configuration of the bundle.
 */
final class SymfonyKernel extends Kernel
{
    use MicroKernelTrait;

    private readonly string $folder;

    public function __construct(
        private readonly array $pomerium,
        private readonly array $users = ['id' => PomeriumUserProvider::class],
    ) {
        $this->folder = Scratch::folder();
        parent::__construct('test', true);
    }

    public function registerBundles(): iterable
    {
        return [new FrameworkBundle(), new SecurityBundle(), new PomeriumJwtBundle()];
    }

    public function user(Request $request): JsonResponse
    {
        $user = $this->getContainer()->get('test_tokens')->getToken()?->getUser();
        return new JsonResponse([
            'user' => $user?->getUserIdentifier(),
            'roles' => $user?->getRoles(),
            'subject' => VerifyListener::identity($request)?->subject,
        ]);
    }

    public function cart(Request $request): JsonResponse
    {
        $before = $request->getSession()->get('cart');
        $request->getSession()->set('cart', $request->query->get('put', $before));
        return new JsonResponse(['cart' => $before]);
    }

    public function demand(Request $request): Response
    {
        Demand::group(VerifyListener::identity($request), 'secret-group');
    }

    public function forward(Request $request): Response
    {
        $inner = $request->duplicate([], null, ['_controller' => 'kernel::user']);
        return $this->getContainer()->get('http_kernel')->handle($inner, KernelInterface::SUB_REQUEST);
    }

    protected function configureContainer(ContainerConfigurator $container): void
    {
        $container->extension('framework', [
            'http_method_override' => false,
            'session' => ['storage_factory_id' => 'session.storage.factory.mock_file', 'handler_id' => null],
        ]);
        $container->extension('pomerium_jwt', $this->pomerium);
        $container->extension('security', [
            'enable_authenticator_manager' => true,
            'providers' => ['users' => $this->users],
            'firewalls' => ['main' => ['provider' => 'users', 'custom_authenticators' => [PomeriumAuthenticator::class]]],
            'access_control' => [['path' => '^/staff', 'roles' => 'ROLE_STAFF']],
        ]);
        $services = $container->services();
        $services->set('logger', \Psr\Log\NullLogger::class);
        $services->set(MarkResponse::class)->tag('kernel.event_listener', ['event' => 'kernel.response', 'method' => 'mark']);
        $services->alias('test_tokens', 'security.token_storage')->public();
    }

    protected function configureRoutes(RoutingConfigurator $routes): void
    {
        foreach (['/user' => 'user', '/staff' => 'user', '/public' => 'user', '/cart' => 'cart', '/demand' => 'demand'] as $path => $method) {
            $routes->add(\trim($path, '/'), $path)->controller("kernel::$method");
        }
        $routes->add('forward', '/forward')->controller('kernel::forward');
    }

    public function getCacheDir(): string
    {
        return "$this->folder/cache";
    }

    public function getLogDir(): string
    {
        return "$this->folder/log";
    }
}
