<?php

declare(strict_types=1);

namespace PomeriumJwt\Tests;

use RuntimeException;

/**
 * A program that runs until this object ends, with what it prints in files.
 */
final class Process
{
    /** @var resource */
    private $process;
    /** @var array<int, resource> */
    private array $pipes = [];
    private ?int $exitCode = null;
    private readonly string $output;
    private readonly string $errors;

    /**
     * @param list<string> $command
     * @param array<string, string> $environment in addition to this process's, of which POMERIUM_JWT_* is taken out
     */
    public function __construct(array $command, array $environment = [], public readonly string $folder = REPOSITORY)
    {
        $this->output = self::scratch('out');
        $this->errors = self::scratch('err');
        $streams = [['pipe', 'r'], ['file', $this->output, 'w'], ['file', $this->errors, 'w']];
        $foreign = static fn (string $name): bool => !\str_starts_with($name, 'POMERIUM_JWT_');
        $inherited = \array_filter(\getenv(), $foreign, ARRAY_FILTER_USE_KEY);
        $this->process = \proc_open($command, $streams, $this->pipes, $folder, $environment + $inherited);
    }

    public function output(): string
    {
        return \file_get_contents($this->output);
    }

    public function errors(): string
    {
        return \file_get_contents($this->errors);
    }

    public function id(): int
    {
        return \proc_get_status($this->process)['pid'];
    }

    /** The first match of this in its standard output, as soon as it is there. */
    public function printed(string $pattern): string
    {
        return $this->awaited($pattern, $this->output(...))[1];
    }

    /** Returns when its standard error matches: a line may come later than the answer that it is about. */
    public function warns(string $pattern): void
    {
        $this->awaited($pattern, $this->errors(...));
    }

    /** @return list<string> the match, as soon as it is there */
    private function awaited(string $pattern, callable $text): array
    {
        for ($end = \microtime(true) + 60; \preg_match($pattern, $text(), $found) !== 1; \usleep(10_000)) {
            if (!$this->runs() || \microtime(true) > $end) {
                throw new RuntimeException("it never printed $pattern: {$this->output()}{$this->errors()}");
            }
        }
        return $found;
    }

    public function runs(): bool
    {
        $status = \proc_get_status($this->process);
        if (!$status['running'] && $this->exitCode === null) {
            $this->exitCode = $status['exitcode'];
        }
        return $status['running'];
    }

    /** Its exit code, once it has ended by itself. */
    public function wait(): int
    {
        while ($this->runs()) {
            \usleep(5_000);
        }
        return $this->exitCode;
    }

    public function stop(): void
    {
        if ($this->runs()) {
            \fclose($this->pipes[0]);
            \proc_terminate($this->process);
            $this->wait();
        }
    }

    public function __destruct()
    {
        $this->stop();
        \unlink($this->output);
        \unlink($this->errors);
    }

    private static function scratch(string $what): string
    {
        return \tempnam(\sys_get_temp_dir(), "pomerium-jwt-$what-");
    }

    /**
     * Runs a program to its end: its exit code, standard output and standard error.
     *
     * @return array{int, string, string}
     */
    public static function run(array $command, array $environment = [], string $folder = REPOSITORY): array
    {
        $process = new self($command, $environment, $folder);
        return [$process->wait(), $process->output(), $process->errors()];
    }
}
