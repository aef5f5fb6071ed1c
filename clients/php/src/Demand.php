<?php

declare(strict_types=1);

namespace PomeriumJwt;

/**
 * What a single route demands of the identity of a request that got in.
 */
final class Demand
{
    /**
     * A signed-in user.
     *
     * @param ?Identity $identity null if the request passed without one
     *
     * @throws VerifyException of code `token_missing` without an identity, `subject_missing` for an anonymous one
     */
    public static function user(?Identity $identity): Identity
    {
        if ($identity === null) {
            $why = 'this route demands a signed-in user, and the request passed without a token';
            throw VerifyException::of(Code::TokenMissing, $why);
        }
        if (!$identity->isUser()) {
            $why = 'this route demands a signed-in user, and sub is empty';
            throw VerifyException::of(Code::SubjectMissing, $why);
        }
        return $identity;
    }

    /**
     * A signed-in user who is in at least one of these groups.
     *
     * @throws VerifyException as user(), and of code `group_required`; `invalid_argument` without names of groups
     */
    public static function group(?Identity $identity, string ...$groups): Identity
    {
        if ($groups === []) {
            throw VerifyException::of(Code::InvalidArgument, 'Demand::group got no groups: name at least one');
        }
        $identity = self::user($identity);
        if (!$identity->inAnyGroup(...$groups)) {
            $names = \json_encode(\array_slice(\array_values($groups), 0, 4), JSON_INVALID_UTF8_SUBSTITUTE);
            $why = "the user is in none of the groups that this route demands: $names";
            throw VerifyException::of(Code::GroupRequired, $why . (\count($groups) > 4 ? ' and more' : ''));
        }
        return $identity;
    }
}
