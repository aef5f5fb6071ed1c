<?php

declare(strict_types=1);

namespace PomeriumJwt;

use FFI\CData;
use LogicException;

/**
 * Verifies Pomerium's tokens.
 *
 *     $verifier = Verifier::forRoute('https://app.example.com');
 *     $identity = $verifier->verify($_SERVER['HTTP_X_POMERIUM_JWT_ASSERTION'] ?? '');
 *
 * Make it in each request: equal options share one verifier in each process, whose keys outlive the requests.
 */
final class Verifier
{
    private ?array $described = null;

    private function __construct(
        private readonly Native $native,
        private readonly CData $verifier,
        private readonly bool $owned,
        private readonly ?string $warning = null,
    ) {
    }

    /**
     * The application with this route: its `from:` URL in Pomerium, or several.
     *
     * @param string|list<string> $route
     * @param mixed ...$options further options by name, as in Options: `leeway: 30`
     *
     * @throws VerifyException as of()
     */
    public static function forRoute(string|array $route, mixed ...$options): self
    {
        return self::of(new Options($route, ...$options));
    }

    /**
     * Touches no network; files are read then.
     *
     * @param Options|array<string, mixed> $options an array has the names that options have in every language
     * @param bool $shared one verifier per process for these options, which lives as long as the process; at most 64
     *     different ones. false: a verifier of its own with keys of its own, which ends with this object
     *
     * @throws VerifyException of code `invalid_options`, in a sentence that says what to write instead; `internal` if
     *     the C library cannot be used
     */
    public static function of(Options|array $options, bool $shared = true): self
    {
        return self::made(Native::load(), Json::options($options), $shared);
    }

    /**
     * The options given here laid over those of the environment, POMERIUM_JWT_ROUTE and so on (see Environment), so that
     * operators can add a demand: what is given here wins, option by option, and warning() names what it overrides.
     *
     * @param Options|array<string, mixed> $options
     * @param array<string, string>|null $variables instead of Environment::variables()
     *
     * @throws VerifyException as of(); the sentence names the variable
     */
    public static function overEnvironment(Options|array $options = [], ?array $variables = null): self
    {
        $native = Native::load();
        $variables = \json_encode((object) ($variables ?? Environment::variables()), JSON_INVALID_UTF8_SUBSTITUTE);
        [$code, $warning, $merged] = $native->optionsOver(Json::options($options), $variables);
        if ($code !== 0) {
            throw self::refusal($code, $warning);
        }
        return self::made($native, $merged, true, $warning);
    }

    /**
     * A verifier with other request options over the same keys: for two parts of one application.
     *
     * @param Options|array<string, mixed> $options any of header_name, optional, exempt_paths, require_group; the others
     *     stay as they are here
     *
     * @throws VerifyException of code `invalid_options`
     */
    public function with(Options|array $options): self
    {
        [$code, $message, $verifier] = $this->native->with($this->verifier, Json::options($options));
        if ($code !== 0) {
            throw self::refusal($code, $message);
        }
        return new self($this->native, $verifier, true, $this->warning);
    }

    /**
     * Who sent this token: the raw text of the header, '' if there was none, several values joined by commas (which is
     * refused). If keys have to be fetched first it waits for them, at most for the option timeout.
     *
     * @throws VerifyException
     */
    public function verify(#[\SensitiveParameter] string $token): Identity
    {
        return $this->identity(...$this->native->verify($this->verifier, $token));
    }

    /**
     * As verify(), at this time in Unix seconds. Uses the keys that are loaded and fetches none.
     *
     * @throws VerifyException
     */
    public function verifyAt(#[\SensitiveParameter] string $token, int $now): Identity
    {
        return $this->identity(...$this->native->verifyAt($this->verifier, $token, $now));
    }

    /**
     * Decides whether a request gets in: what every integration calls, and where all rules about requests are. Null lets
     * it in without an identity, which the options exempt_paths and optional allow.
     *
     * @throws VerifyException whose status(), headers() and body() are the response
     */
    public function admit(Request $request): ?Identity
    {
        [$code, $output, $claims] = $this->native->admit($this->verifier, $request);
        if ($code === Native::PASSED) {
            return null;
        }
        if ($code !== 0) {
            throw VerifyException::ofAdmission($output);
        }
        return new Identity($output, $claims);
    }

    /**
     * Brings the keys up to date: joins a fetch that is running, or starts one that is due. With $force, for warming up
     * and for operators, it fetches at once, at most once a second.
     *
     * @throws VerifyException
     */
    public function refresh(bool $force = false): void
    {
        [$code, $message] = $this->native->refresh($this->verifier, $force);
        if ($code !== 0) {
            throw $this->failure($code, $message);
        }
    }

    /**
     * The state of keys, pins and counters of this process. Never waits; while no usable key is loaded it starts a fetch
     * that is due.
     *
     * @return array<string, mixed>
     */
    public function status(): array
    {
        return Json::decode($this->ask('status'));
    }

    /**
     * Whether this process can verify tokens, for a health page: ready is `keys_loaded` or not `asked`.
     *
     * @return array{configured: bool, asked: bool, keys_loaded: bool, stale: bool}
     */
    public function health(): array
    {
        return $this->status()['health'];
    }

    /** Counters of this process in the format of OpenMetrics 1.0. */
    public function metrics(): string
    {
        return $this->ask('metrics');
    }

    /** The line to log at start: what is accepted, where the keys come from, and the request options that are set. */
    public function summary(): string
    {
        return $this->described()['summary'];
    }

    /** The request header that carries the token. */
    public function headerName(): string
    {
        return $this->described()['header_name'];
    }

    /** What to log at start: the variables that options in code override. Null if there are none. */
    public function warning(): ?string
    {
        return $this->warning;
    }

    /**
     * How many refusals with this code were not logged in this process since the last one; null if none is to be logged
     * now, for it is one a second. Without a code: the line at start, once in a process.
     *
     * @internal
     */
    public function logDue(?Code $code): ?int
    {
        return $this->native->logDue($this->verifier, $code === null ? 0 : $code->number());
    }

    /** What var_dump and print_r show. */
    public function __debugInfo(): array
    {
        return ['summary' => $this->summary()];
    }

    public function __destruct()
    {
        if (isset($this->owned) && $this->owned) {
            $this->native->free($this->verifier);
        }
    }

    /** Two objects would free one verifier. */
    private function __clone()
    {
    }

    /** A verifier is the process's own. */
    public function __serialize(): array
    {
        throw new LogicException('a Verifier cannot be serialized: make one from its options');
    }

    public function __unserialize(array $data): void
    {
        throw new LogicException('a Verifier cannot be unserialized: make one from its options');
    }

    private static function made(Native $native, string $options, bool $shared, ?string $warning = null): self
    {
        [$code, $message, $verifier] = $native->verifier($options, $shared);
        if ($code !== 0) {
            throw self::refusal($code, $message);
        }
        return new self($native, $verifier, !$shared, $warning);
    }

    private function identity(int $code, string $output, ?string $claims): Identity
    {
        if ($code !== 0) {
            throw $this->failure($code, $output);
        }
        return new Identity($output, $claims);
    }

    private function failure(int $code, string $message): VerifyException
    {
        $known = self::known($code);
        return VerifyException::of($known, $message, $known->kind() === Kind::Keys ? $this->status()['next_attempt'] : null);
    }

    private static function refusal(int $code, string $message): VerifyException
    {
        return VerifyException::of(self::known($code), $message);
    }

    private static function known(int $number): Code
    {
        foreach (Code::cases() as $code) {
            if ($code->number() === $number) {
                return $code;
            }
        }
        return Code::Internal;
    }

    private function ask(string $what): string
    {
        [$code, $text] = $this->native->ask($what, $this->verifier);
        if ($code !== 0) {
            throw self::refusal($code, $text);
        }
        return $text;
    }

    private function described(): array
    {
        return $this->described ??= Json::decode($this->ask('describe'));
    }
}
