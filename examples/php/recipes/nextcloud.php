<?php

// Nextcloud: lib/AppInfo/Application.php of an app `pomerium`, with protect.php as auto_prepend_file. Signs in users who
// exist in Nextcloud (its own, or LDAP's) by their e-mail address; who is unknown gets Nextcloud's own sign-in page.

declare(strict_types=1);

namespace OCA\Pomerium\AppInfo;

use OCP\AppFramework\App;
use OCP\AppFramework\Bootstrap\IBootContext;
use OCP\AppFramework\Bootstrap\IBootstrap;
use OCP\AppFramework\Bootstrap\IRegistrationContext;
use OCP\IUserManager;
use OCP\IUserSession;

final class Application extends App implements IBootstrap
{
    public function __construct()
    {
        parent::__construct('pomerium');
    }

    public function register(IRegistrationContext $context): void
    {
    }

    public function boot(IBootContext $context): void
    {
        if (PHP_SAPI !== 'cli') {
            $context->injectFn([$this, 'signIn']);
        }
    }

    /** In each request: a session of somebody else ends, and one of the user begins. */
    public function signIn(IUserSession $session, IUserManager $users): void
    {
        $identity = $GLOBALS['pomerium'] ?? null;
        $found = $identity?->isUser() && $identity->email !== null ? $users->getByEmail($identity->email) : [];
        $user = count($found) === 1 ? $found[0] : null;
        if ($session->getUser()?->getUID() === $user?->getUID()) {
            return;
        }
        if ($session->isLoggedIn()) {
            $session->logout();
        }
        if ($user !== null && $user->isEnabled()) {
            $session->setUser($user);
        }
    }
}
