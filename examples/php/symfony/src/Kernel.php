<?php

// A Symfony application behind Pomerium. The environment says which one:
// POMERIUM_JWT_ROUTE=https://app.example.com POMERIUM_JWT_EXEMPT_PATHS=/health PORT=8080 ./serve symfony/public

declare(strict_types=1);

namespace App;

use PomeriumJwt\Symfony\PomeriumAuthenticator;
use PomeriumJwt\Symfony\PomeriumJwtBundle;
use PomeriumJwt\Symfony\PomeriumUserProvider;
use Symfony\Bundle\FrameworkBundle\FrameworkBundle;
use Symfony\Bundle\FrameworkBundle\Kernel\MicroKernelTrait;
use Symfony\Bundle\SecurityBundle\SecurityBundle;
use Symfony\Component\DependencyInjection\Loader\Configurator\ContainerConfigurator;
use Symfony\Component\HttpKernel\Kernel as HttpKernel;
use Symfony\Component\HttpKernel\Log\Logger;
use Symfony\Component\Routing\Loader\Configurator\RoutingConfigurator;

final class Kernel extends HttpKernel
{
    use MicroKernelTrait;

    public function registerBundles(): iterable
    {
        return [new FrameworkBundle(), new SecurityBundle(), new PomeriumJwtBundle()];
    }

    protected function configureContainer(ContainerConfigurator $container): void
    {
        $container->extension('framework', ['http_method_override' => false]);
        $container->extension('pomerium_jwt', ['group_map' => ['admins' => 'ROLE_ADMIN']]);
        $container->extension('security', [
            'enable_authenticator_manager' => true, // for Symfony 5
            'providers' => ['pomerium' => ['id' => PomeriumUserProvider::class]],
            'firewalls' => ['main' => [
                'provider' => 'pomerium',
                'custom_authenticators' => [PomeriumAuthenticator::class],
                'stateless' => true,
            ]],
        ]);
        $services = $container->services()->defaults()->autowire()->autoconfigure();
        $services->set(Controllers::class)->public();
        $services->set('logger', Logger::class)->args(['info', 'php://stderr']); // or MonologBundle
        $services->set(RewritePath::class)
            ->tag('kernel.event_listener', ['event' => 'kernel.request', 'method' => 'rewrite', 'priority' => 5000]);
    }

    protected function configureRoutes(RoutingConfigurator $routes): void
    {
        $get = ['GET', 'HEAD'];
        $routes->add('index', '/')->controller([Controllers::class, 'index'])->methods($get);
        $routes->add('admin', '/admin')->controller([Controllers::class, 'admin'])->methods($get);
        $routes->add('health', '/health')->controller([Controllers::class, 'health'])->methods($get);
        $routes->add('anything', '/{path}')->controller([Controllers::class, 'anything'])->requirements(['path' => '.*']);
    }

    public function getCacheDir(): string
    {
        return sys_get_temp_dir() . '/pomerium-jwt-symfony/cache';
    }

    public function getLogDir(): string
    {
        return sys_get_temp_dir() . '/pomerium-jwt-symfony/log';
    }
}
