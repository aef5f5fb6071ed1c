<?php

declare(strict_types=1);

namespace PomeriumJwt\Symfony;

use PomeriumJwt\Code;
use PomeriumJwt\Guard;
use PomeriumJwt\HttpFoundation\RefusalResponse;
use PomeriumJwt\VerifyException;
use Symfony\Component\HttpFoundation\Request;
use Symfony\Component\HttpFoundation\Response;
use Symfony\Component\Security\Core\Authentication\Token\TokenInterface;
use Symfony\Component\Security\Core\Exception\AuthenticationException;
use Symfony\Component\Security\Http\Authenticator\AbstractAuthenticator;
use Symfony\Component\Security\Http\Authenticator\Passport\Badge\UserBadge;
use Symfony\Component\Security\Http\Authenticator\Passport\Passport;
use Symfony\Component\Security\Http\Authenticator\Passport\SelfValidatingPassport;
use Symfony\Component\Security\Http\EntryPoint\AuthenticationEntryPointInterface;

/**
 * Signs in the user of the request that the listener has verified, in each request again. It verifies nothing itself.
 * The firewall's user provider makes the user: PomeriumUserProvider, or the application's own.
 */
final class PomeriumAuthenticator extends AbstractAuthenticator implements AuthenticationEntryPointInterface
{
    public function __construct(private readonly string $usernameClaim)
    {
    }

    public function supports(Request $request): ?bool
    {
        return VerifyListener::identity($request)?->isUser() ?? false;
    }

    public function authenticate(Request $request): Passport
    {
        $identity = VerifyListener::identity($request);
        $name = $identity === null ? null : Username::of($identity, $this->usernameClaim);
        if ($name === null) {
            throw new AuthenticationException("the claim $this->usernameClaim has no name of a user");
        }
        return new SelfValidatingPassport(new UserBadge($name));
    }

    public function onAuthenticationSuccess(Request $request, TokenInterface $token, string $firewallName): ?Response
    {
        return null;
    }

    /** The user provider knows no such user: the request continues as nobody's. */
    public function onAuthenticationFailure(Request $request, AuthenticationException $exception): ?Response
    {
        return null;
    }

    /** What access control answers to nobody. */
    public function start(Request $request, ?AuthenticationException $authException = null): Response
    {
        $identity = VerifyListener::identity($request);
        $code = match (true) {
            $identity === null => Code::TokenMissing,
            $identity->isUser() => Code::GroupRequired,
            default => Code::SubjectMissing,
        };
        return new RefusalResponse(Guard::plain(VerifyException::of($code, 'access_control')));
    }
}
