<?php

declare(strict_types=1);

namespace PomeriumJwt\Symfony;

use Symfony\Component\Config\Definition\Builder\TreeBuilder;
use Symfony\Component\Config\Definition\ConfigurationInterface;

/**
 * What `pomerium_jwt` takes.
 *
 * @internal
 */
final class Configuration implements ConfigurationInterface
{
    /** Before every listener of Symfony's own. */
    private const FIRST = 4096;

    public function getConfigTreeBuilder(): TreeBuilder
    {
        $tree = new TreeBuilder('pomerium_jwt');
        $tree->getRootNode()->children()
            ->variableNode('options')
                ->info('Options of the verifier, laid over POMERIUM_JWT_ROUTE and so on; see PomeriumJwt\Options.')
                ->defaultValue([])
            ->end()
            ->integerNode('priority')
                ->info('Of the listener to kernel.request. Below that of a CORS listener, and above everything else.')
                ->defaultValue(self::FIRST)
            ->end()
            ->scalarNode('username_claim')
                ->info('The claim by which the user provider finds the user.')
                ->defaultValue('sub')->cannotBeEmpty()
            ->end()
            ->arrayNode('default_roles')
                ->info('The roles of every signed-in user of PomeriumUserProvider.')
                ->scalarPrototype()->end()->defaultValue(['ROLE_USER'])
            ->end()
            ->arrayNode('group_map')
                ->info('The role that each of these groups gives: admins: ROLE_ADMIN')
                ->useAttributeAsKey('group')->normalizeKeys(false)->scalarPrototype()->end()
            ->end()
        ->end();
        return $tree;
    }
}
