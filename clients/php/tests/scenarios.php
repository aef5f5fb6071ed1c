<?php

// scenarios.php N: scenario N of conformance/scenarios.md, step by step. PHP's concurrency is processes.

declare(strict_types=1);

namespace PomeriumJwt\Tests;

use PomeriumJwt\Verifier;
use PomeriumJwt\VerifyException;

require __DIR__ . '/bootstrap.php';

function expect(bool $holds, string $what): void
{
    if (!$holds) {
        \fwrite(STDERR, "$what\n");
        exit(1);
    }
}

function clock(): float
{
    return \hrtime(true) / 1e9;
}

function pause(float $seconds): void
{
    \usleep((int) \max(0, $seconds * 1e6));
}

/** The code, 'ok' for acceptance. */
function code(Verifier $verifier, string $token): string
{
    try {
        return $verifier->verify($token)->subject === 'alice' ? 'ok' : 'somebody else';
    } catch (VerifyException $refused) {
        return $refused->code()->value;
    }
}

function accepted(Verifier $verifier, string $token): void
{
    $code = code($verifier, $token);
    expect($code === 'ok', "refused: $code");
}

function steadily(callable $until, callable $call): void
{
    while (!$until()) {
        $call();
        pause(0.05);
    }
}

function until_fresh(Verifier $verifier, callable $call): void
{
    $end = clock() + 10;
    steadily(static fn () => $verifier->status()['state'] === 'fresh' || clock() > $end, $call);
    expect($verifier->status()['state'] === 'fresh', 'fresh within 10 seconds');
}

function took(callable $call): float
{
    $begin = clock();
    $call();
    return clock() - $begin;
}

/** Runs this in so many processes at a time, each of which must end well; then the parent's part, meanwhile. */
function in_processes(int $count, callable $work, callable $meanwhile): void
{
    $children = [];
    for ($number = 0; $number < $count; $number++) {
        $child = \pcntl_fork();
        if ($child === 0) {
            $work();
            \posix_kill(\posix_getpid(), SIGKILL); // without destructors: the issuer is the parent's
        }
        $children[] = $child;
    }
    $meanwhile();
    foreach ($children as $child) {
        \pcntl_waitpid($child, $status);
        expect(\pcntl_wifsignaled($status) && \pcntl_wtermsig($status) === SIGKILL, 'a process of its own has failed');
    }
}

/** A fork has the parent's verifier and keys of its own: each of 16 fetches once. */
function cold_start(Issuer $issuer): void
{
    $token = $issuer->mint();
    $verifier = $issuer->verifier();
    expect($issuer->fetches() === 0, 'construction touches no network');
    in_processes(16, static fn () => accepted($verifier, $token), static fn () => null);
    expect($issuer->fetches() === 16, "one fetch for each of 16 processes, not {$issuer->fetches()}");
}

function rotation(Issuer $issuer): void
{
    $verifier = $issuer->verifier(1);
    $end = clock() + 7;
    $work = static function () use ($issuer, $verifier, $end): void {
        $kids = [];
        for ($count = 0; clock() < $end; $count++) {
            $token = $issuer->mint();
            $kids[\explode('.', $token)[0]] = true;
            accepted($verifier, $token);
            pause(0.02);
        }
        expect($count >= 20 && \count($kids) === 2, "$count tokens under " . \count($kids) . ' kids');
    };
    in_processes(4, $work, static function () use ($issuer): void {
        foreach ([['append', 1], ['swap', 2], ['drop', 2]] as [$step, $seconds]) {
            pause($seconds);
            $issuer->post("/rotate?step=$step");
        }
    });
    for ($time = 0; $time < 2; $time++) {
        pause(2);
        $issuer->post('/rotate');
        accepted($verifier, $issuer->mint());
    }
}

function withdrawn_key(Issuer $issuer): void
{
    $issuer->post('/rotate?step=append');
    $token = $issuer->mint();
    [$busy, $idle] = [$issuer->verifier(2), $issuer->verifier(2)];
    accepted($busy, $token);
    accepted($idle, $token);
    $issuer->post('/withdraw');
    $withdrawn = clock();
    $idleCode = null;
    $seen = [];
    steadily(
        static fn () => clock() >= $withdrawn + 6,
        static function () use ($busy, $idle, $token, $withdrawn, &$seen, &$idleCode): void {
            $began = clock();
            $seen[] = [$began, code($busy, $token)];
            if ($idleCode === null && clock() >= $withdrawn + 4.1) {
                $idleCode = code($idle, $token);
            }
        }
    );
    $refused = false;
    foreach ($seen as [$began, $code]) {
        $refused = $refused || $code !== 'ok';
        expect($code === ($refused ? 'key_not_found' : 'ok'), "$code after the first refusal");
        expect($began < $withdrawn + 4 || $refused, 'accepted 2 ttl after the key was withdrawn');
    }
    expect($idleCode === 'key_not_found', "idle: $idleCode");
    $token = $issuer->mint();
    expect([code($busy, $token), code($idle, $token)] === ['key_not_found', 'key_not_found'], 'a thief signs on');
    pause(2);
    $issuer->post('/rotate');
    $token = $issuer->mint();
    accepted($busy, $token);
    accepted($idle, $token);
}

function hanging_server(Issuer $issuer): void
{
    $token = $issuer->mint();
    [$busy, $idle] = [$issuer->verifier(5), $issuer->verifier(5)];
    accepted($busy, $token);
    accepted($idle, $token);
    $issuer->post('/fault?kind=hang');
    $fetches = $issuer->fetches();
    $end = clock() + 11;
    steadily(static fn () => clock() >= $end, static function () use ($busy, $token): void {
        expect(took(static fn () => accepted($busy, $token)) < 1, 'a call has waited');
    });
    expect($issuer->fetches() >= $fetches + 2, 'it has tried');
    $first = took(static fn () => accepted($idle, $token));
    expect($first >= 1 && $first < 4, "the first call of the idle one took $first s");
    expect(took(static fn () => accepted($idle, $token)) < 1, 'the second call has waited');
    $issuer->post('/fault?kind=none');
    until_fresh($busy, static fn () => accepted($busy, $token));
}

function outage(Issuer $issuer): void
{
    $token = $issuer->mint();
    [$busy, $idle] = [$issuer->verifier(2), $issuer->verifier(2)];
    accepted($busy, $token);
    accepted($idle, $token);
    $issuer->post('/fault?kind=reset');
    $end = clock() + 7;
    steadily(static fn () => clock() >= $end, static fn () => accepted($busy, $token));
    accepted($idle, $token);
    expect($busy->status()['last_error'] !== null && $idle->status()['last_error'] !== null, 'both have a last_error');
    $issuer->post('/rotate');
    $issuer->post('/fault?kind=none');
    until_fresh($busy, static fn () => code($busy, $token));
    pause(1);
    accepted($busy, $issuer->mint());
}

const SCENARIOS = ['cold_start', 'rotation', 'withdrawn_key', 'hanging_server', 'outage'];

(__NAMESPACE__ . '\\' . SCENARIOS[(int) $argv[1] - 1])(new Issuer());
