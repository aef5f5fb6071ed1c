<?php

declare(strict_types=1);

namespace PomeriumJwt;

use DateInterval;
use JsonException;
use stdClass;

/**
 * JSON as the library reads and writes it.
 *
 * @internal
 */
final class Json
{
    private const OBJECTS = ['jwks', 'jwks_initial', 'expect_claims'];

    /** What the library has written. */
    public static function decode(string $text): mixed
    {
        return \json_decode($text, true, 512, JSON_BIGINT_AS_STRING | JSON_THROW_ON_ERROR);
    }

    /**
     * The document of these options. The library judges them; nothing may get lost on the way.
     *
     * @throws VerifyException of code `invalid_options`
     */
    public static function options(Options|array $options): string
    {
        $options = \is_array($options) ? $options : $options->toArray();
        $document = new stdClass();
        foreach ($options as $name => $value) {
            $value = self::option((string) $name, $value);
            // PHP writes an empty list and an empty object alike
            $document->{$name} = $value === [] && \in_array($name, self::OBJECTS, true) ? new stdClass() : $value;
        }
        try {
            $flags = JSON_THROW_ON_ERROR | JSON_PRESERVE_ZERO_FRACTION | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE;
            return \json_encode($document, $flags);
        } catch (JsonException $why) {
            throw VerifyException::of(Code::InvalidOptions, 'the options cannot be written as JSON: ' . $why->getMessage());
        }
    }

    private static function option(string $name, mixed $value): mixed
    {
        if ($value instanceof DateInterval) {
            return self::seconds($name, $value);
        }
        if (\is_array($value)) {
            return \array_map(static fn (mixed $member): mixed => self::option($name, $member), $value);
        }
        if ($value instanceof stdClass) {
            return (object) self::option($name, (array) $value);
        }
        if (\is_object($value) || \is_resource($value)) {
            $what = \get_debug_type($value);
            throw VerifyException::of(Code::InvalidOptions, "$name: takes no $what; write a string, a number or an array");
        }
        return $value;
    }

    private static function seconds(string $name, DateInterval $interval): int
    {
        if ($interval->f != 0 || ($interval->days === false && ($interval->y !== 0 || $interval->m !== 0))) {
            $why = "$name: takes whole seconds: a DateInterval of days, hours, minutes and seconds";
            throw VerifyException::of(Code::InvalidOptions, $why);
        }
        $days = $interval->days === false ? $interval->d : $interval->days;
        $seconds = (($days * 24 + $interval->h) * 60 + $interval->i) * 60 + $interval->s;
        return $interval->invert === 1 ? -$seconds : $seconds;
    }
}
