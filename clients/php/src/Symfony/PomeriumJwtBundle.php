<?php

declare(strict_types=1);

namespace PomeriumJwt\Symfony;

use Symfony\Component\DependencyInjection\Extension\ExtensionInterface;
use Symfony\Component\HttpKernel\Bundle\Bundle;

/**
 * Puts the verification in front of the whole application; configured under `pomerium_jwt`.
 */
final class PomeriumJwtBundle extends Bundle
{
    public function getContainerExtension(): ExtensionInterface
    {
        return $this->extension ??= new PomeriumJwtExtension();
    }
}
