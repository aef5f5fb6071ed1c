<?php

declare(strict_types=1);

namespace PomeriumJwt\Symfony;

use PomeriumJwt\Guard;
use PomeriumJwt\Verifier;
use Symfony\Component\Config\Definition\ConfigurationInterface;
use Symfony\Component\DependencyInjection\ContainerBuilder;
use Symfony\Component\DependencyInjection\ContainerInterface;
use Symfony\Component\DependencyInjection\Definition;
use Symfony\Component\DependencyInjection\Extension\Extension;
use Symfony\Component\DependencyInjection\Reference;

/**
 * @internal
 */
final class PomeriumJwtExtension extends Extension
{
    public function getAlias(): string
    {
        return 'pomerium_jwt';
    }

    public function getConfiguration(array $config, ContainerBuilder $container): ConfigurationInterface
    {
        return new Configuration();
    }

    public function load(array $configs, ContainerBuilder $container): void
    {
        $config = $this->processConfiguration(new Configuration(), $configs);
        $logger = new Reference('logger', ContainerInterface::NULL_ON_INVALID_REFERENCE);

        $verifier = $this->service($container, Verifier::class, [$config['options']]);
        $verifier->setFactory([Verifier::class, 'overEnvironment']);
        $this->service($container, Guard::class, [new Reference(Verifier::class), $logger])->setPublic(true);
        $this->service($container, VerifyListener::class, [new Reference('service_container'), $logger])
            ->addTag('kernel.event_listener', self::listener('kernel.request', 'verify', $config['priority']))
            // After the session has begun (128), before the firewall (8)
            ->addTag('kernel.event_listener', self::listener('kernel.request', 'compareSession', 9))
            // Before the session is saved (-1000)
            ->addTag('kernel.event_listener', self::listener('kernel.response', 'rememberSubject', -512))
            ->addTag('kernel.event_listener', self::listener('kernel.exception', 'answerDemand', 4096));
        $this->service($container, PomeriumAuthenticator::class, [$config['username_claim']]);
        $users = [new Reference('request_stack'), $config['default_roles'], $config['group_map'], $config['username_claim']];
        $this->service($container, PomeriumUserProvider::class, $users);
    }

    private function service(ContainerBuilder $container, string $class, array $arguments): Definition
    {
        return $container->setDefinition($class, new Definition($class, $arguments));
    }

    private static function listener(string $event, string $method, int $priority): array
    {
        return ['event' => $event, 'method' => $method, 'priority' => $priority];
    }
}
