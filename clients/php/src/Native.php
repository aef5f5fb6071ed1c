<?php

declare(strict_types=1);

namespace PomeriumJwt;

use FFI;
use FFI\CData;
use Throwable;

/**
 * The C library: integers and strings in, integers and strings out. The one class that knows FFI, so that an extension
 * in C can take its place. Not for applications.
 *
 * An answer is its code and up to two texts: what the header calls output or message, and claims or merged.
 *
 * @internal
 */
final class Native
{
    public const PASSED = -1;
    private const UPGRADE = 1;
    private const MARKED_PUBLIC = 2;

    private static ?self $loaded = null;

    /** Two out-pointers that all calls use: nothing calls back into PHP in between. */
    private CData $places;
    private CData $first;
    private CData $second;

    private function __construct(private FFI $ffi)
    {
        $this->places = $ffi->new('char *[2]');
        $this->first = FFI::addr($this->places[0]);
        $this->second = FFI::addr($this->places[1]);
    }

    /**
     * @throws VerifyException of code `internal`, in a sentence that says how to fix it
     */
    public static function load(): self
    {
        return self::$loaded ??= new self(Loader::load());
    }

    public function version(): string
    {
        return $this->ffi->pomerium_jwt_version();
    }

    /**
     * One per process for this text, which lives as long as the process, or one that the caller frees.
     *
     * @return array{int, ?string, ?CData}
     */
    public function verifier(string $options, bool $shared): array
    {
        $verifier = $this->ffi->new('pomerium_jwt_verifier *');
        $make = $shared ? 'pomerium_jwt_verifier_shared' : 'pomerium_jwt_verifier_new';
        $code = $this->ffi->$make($options, \strlen($options), FFI::addr($verifier), $this->first);
        return [$code, $this->text(0), $code === 0 ? $verifier : null];
    }

    /** @return array{int, ?string, ?CData} */
    public function with(CData $base, string $options): array
    {
        $verifier = $this->ffi->new('pomerium_jwt_verifier *');
        $length = \strlen($options);
        $code = $this->ffi->pomerium_jwt_verifier_with($base, $options, $length, FFI::addr($verifier), $this->first);
        return [$code, $this->text(0), $code === 0 ? $verifier : null];
    }

    public function free(CData $verifier): void
    {
        $this->ffi->pomerium_jwt_verifier_free($verifier);
    }

    /**
     * @return array{int, ?string, ?string} the second is the warning, or the reason; the third the merged options
     */
    public function optionsOver(string $options, string $variables): array
    {
        $code = $this->ffi->pomerium_jwt_options_over_variables(
            $options,
            \strlen($options),
            $variables,
            \strlen($variables),
            $this->second,
            $this->first
        );
        return [$code, $this->text(0), $this->text(1)];
    }

    /** @return array{int, ?string, ?string} */
    public function verify(CData $verifier, #[\SensitiveParameter] string $token): array
    {
        $length = \strlen($token);
        $code = $this->ffi->pomerium_jwt_verify($verifier, $token, $length, $this->first, $this->second);
        return [$code, $this->text(0), $this->text(1)];
    }

    /** @return array{int, ?string, ?string} */
    public function verifyAt(CData $verifier, #[\SensitiveParameter] string $token, int $now): array
    {
        $length = \strlen($token);
        $code = $this->ffi->pomerium_jwt_verify_at($verifier, $token, $length, $now, $this->first, $this->second);
        return [$code, $this->text(0), $this->text(1)];
    }

    /** @return array{int, ?string, ?string} */
    public function admit(CData $verifier, Request $request): array
    {
        $flags = ($request->upgrade ? self::UPGRADE : 0) | ($request->markedPublic ? self::MARKED_PUBLIC : 0);
        $code = $this->ffi->pomerium_jwt_admit(
            $verifier,
            $request->token,
            \strlen($request->token),
            $request->path,
            \strlen($request->path),
            $flags,
            null,
            $this->first,
            $this->second
        );
        return [$code, $this->text(0), $this->text(1)];
    }

    /** @return array{int, ?string} */
    public function refresh(CData $verifier, bool $force): array
    {
        $code = $this->ffi->pomerium_jwt_refresh($verifier, $force ? 1 : 0, $this->first);
        return [$code, $this->text(0)];
    }

    /**
     * @param 'status'|'describe'|'metrics' $what
     *
     * @return array{int, ?string}
     */
    public function ask(string $what, CData $verifier): array
    {
        $code = $this->ffi->{"pomerium_jwt_$what"}($verifier, $this->first);
        return [$code, $this->text(0)];
    }

    /**
     * How many refusals with this code were not logged since the last one; null if none is to be logged now. Code 0 asks
     * for the line at start.
     */
    public function logDue(CData $verifier, int $code): ?int
    {
        $held = $this->ffi->new('uint64_t');
        return $this->ffi->pomerium_jwt_log_due($verifier, $code, FFI::addr($held)) === 1 ? $held->cdata : null;
    }

    /** Takes the text out of a place, and frees it. */
    private function text(int $place): ?string
    {
        $pointer = $this->places[$place];
        if ($pointer === null) {
            return null;
        }
        $text = FFI::string($pointer);
        $this->ffi->pomerium_jwt_string_free($pointer);
        $this->places[$place] = null;
        return $text;
    }
}
