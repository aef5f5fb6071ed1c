<?php

declare(strict_types=1);

namespace PomeriumJwt\Laravel;

use PomeriumJwt\Guard;
use PomeriumJwt\Testing\TestIssuer;

/**
 * For test cases of an application: requests of a user with a real token, which the application verifies.
 */
trait ActsAsPomeriumUser
{
    private ?TestIssuer $pomeriumIssuer = null;

    /**
     * The requests after this call are those of this user.
     *
     * @param array<string, mixed> $claims such as ['sub' => 'ada', 'groups' => ['admins']]; alice without any
     */
    protected function actingAsPomeriumUser(array $claims = []): static
    {
        $this->pomeriumIssuer ??= new TestIssuer();
        $config = $this->app->make('config');
        $config->set('pomerium.options', $this->pomeriumIssuer->options()->toArray() + $config->get('pomerium.options'));
        $this->app->forgetInstance(Guard::class);
        $header = $this->app->make(Guard::class)->verifier->headerName();
        return $this->withHeader($header, $this->pomeriumIssuer->mint($claims));
    }
}
