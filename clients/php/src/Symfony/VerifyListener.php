<?php

declare(strict_types=1);

namespace PomeriumJwt\Symfony;

use PomeriumJwt\Guard;
use PomeriumJwt\HttpFoundation\RefusalResponse;
use PomeriumJwt\HttpFoundation\RequestFacts;
use PomeriumJwt\Identity;
use PomeriumJwt\VerifyException;
use Psr\Container\ContainerInterface;
use Psr\Log\LoggerInterface;
use Symfony\Component\HttpFoundation\Request;
use Symfony\Component\HttpKernel\Event\ExceptionEvent;
use Symfony\Component\HttpKernel\Event\RequestEvent;
use Symfony\Component\HttpKernel\Event\ResponseEvent;

/**
 * Lets verified requests pass and answers the others itself, before anything else looks at them. Sub-requests are part
 * of a request that has been verified.
 */
final class VerifyListener
{
    private const ATTRIBUTE = '_pomerium';
    private const SUBJECT = '_pomerium_subject';

    public function __construct(
        private readonly ContainerInterface $container,
        private readonly ?LoggerInterface $logger,
    ) {
    }

    /** Who sent this request: null if it passed without an identity, or was not verified. */
    public static function identity(?Request $request): ?Identity
    {
        $found = $request?->attributes->get(self::ATTRIBUTE);
        return $found instanceof Identity ? $found : null;
    }

    public function verify(RequestEvent $event): void
    {
        if (!$event->isMainRequest()) {
            return;
        }
        $request = $event->getRequest();
        $request->attributes->remove(self::ATTRIBUTE);
        try {
            $guard = $this->guard();
            $identity = $guard->admit(RequestFacts::of($request, $guard->verifier->headerName()));
            $request->attributes->set(self::ATTRIBUTE, $identity);
        } catch (VerifyException $refused) {
            $event->setResponse($this->response($refused, $request));
        }
    }

    /**
     * A session belongs to the user with whom it began: if another user is signed in now, it ends and an empty one
     * begins. Without an identity nobody is signed in by the session alone.
     */
    public function compareSession(RequestEvent $event): void
    {
        $request = $event->getRequest();
        if (!$event->isMainRequest() || !$request->hasSession() || !$request->hasPreviousSession()) {
            return;
        }
        $session = $request->getSession();
        $subject = self::identity($request)?->subject;
        if ($subject === null) {
            foreach (\array_keys($session->all()) as $name) {
                if (\str_starts_with((string) $name, '_security_')) {
                    $session->remove($name);
                }
            }
            return;
        }
        if ($session->get(self::SUBJECT, $subject) !== $subject) {
            $session->invalidate();
        }
        $session->set(self::SUBJECT, $subject);
    }

    /** A session that begins in this request is this user's. Opens none. */
    public function rememberSubject(ResponseEvent $event): void
    {
        $request = $event->getRequest();
        $subject = self::identity($request)?->subject;
        if (!$event->isMainRequest() || $subject === null || !$request->hasSession()) {
            return;
        }
        if ($request->getSession()->isStarted()) {
            $request->getSession()->set(self::SUBJECT, $subject);
        }
    }

    /** What Demand::group() throws in a controller is answered as any refusal. */
    public function answerDemand(ExceptionEvent $event): void
    {
        $refused = $event->getThrowable();
        if ($refused instanceof VerifyException) {
            $event->setResponse($this->response($refused, $event->getRequest()));
        }
    }

    private function guard(): Guard
    {
        return $this->container->get(Guard::class);
    }

    private function response(VerifyException $refused, Request $request): RefusalResponse
    {
        try {
            return new RefusalResponse($this->guard()->refuse($refused, $request->getPathInfo()));
        } catch (VerifyException $wrong) {
            $this->logger?->critical("pomerium-jwt: {$wrong->getMessage()}");
            return new RefusalResponse(Guard::plain($wrong));
        }
    }
}
