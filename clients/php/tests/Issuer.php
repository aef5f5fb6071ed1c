<?php

declare(strict_types=1);

namespace PomeriumJwt\Tests;

use PomeriumJwt\Options;
use PomeriumJwt\Verifier;

/**
 * A running `pomerium-jwt issuer`, as conformance/scenarios.md describes it.
 */
final class Issuer
{
    public readonly string $url;
    private readonly Process $process;

    public function __construct()
    {
        $target = \getenv('CARGO_TARGET_DIR') ?: REPOSITORY . '/target';
        $this->process = new Process(["$target/debug/pomerium-jwt", 'issuer', '--until-stdin-closes']);
        $this->url = $this->process->printed('/^ready (\S+)$/m');
    }

    /** A token for alice; further claims as parameters of /mint. */
    public function mint(string $claims = ''): string
    {
        return \trim($this->ask('GET', "/mint?sub=alice&$claims"));
    }

    public function post(string $path): void
    {
        $this->ask('POST', $path);
    }

    public function fetches(): int
    {
        return \json_decode($this->ask('GET', '/stats'))->fetches;
    }

    public function verifier(int $cacheTtl = 60): Verifier
    {
        $route = $this->url;
        $options = new Options($route, cacheTtl: $cacheTtl, timeout: 2, refetchCooldown: 1, maxStale: 60);
        return Verifier::of($options, false);
    }

    public function stop(): void
    {
        $this->process->stop();
    }

    private function ask(string $method, string $path): string
    {
        $context = \stream_context_create(['http' => ['method' => $method]]);
        return \file_get_contents($this->url . $path, false, $context);
    }
}
