<?php

// The interfaces of Nextcloud that the recipe uses, no more. The session is the cookie `session`, whose value is its user.

declare(strict_types=1);

namespace OCP\AppFramework {
    class App
    {
        public function __construct(string $name)
        {
        }
    }
}

namespace OCP\AppFramework\Bootstrap {
    interface IBootstrap
    {
    }
    interface IRegistrationContext
    {
    }
    interface IBootContext
    {
        public function injectFn(callable $function): mixed;
    }
}

namespace OCP {
    interface IUser
    {
        public function getUID(): string;

        public function isEnabled(): bool;
    }
    interface IUserManager
    {
        /** @return list<IUser> */
        public function getByEmail(string $email): array;
    }
    interface IUserSession
    {
        public function getUser(): ?IUser;

        public function isLoggedIn(): bool;

        public function logout(): void;

        public function setUser(?IUser $user): void;
    }
}

namespace {
    use OCP\AppFramework\Bootstrap\IBootContext;
    use OCP\IUser;
    use OCP\IUserManager;
    use OCP\IUserSession;

    final class User implements IUser
    {
        public function __construct(private readonly string $name)
        {
        }

        public function getUID(): string
        {
            return $this->name;
        }

        public function isEnabled(): bool
        {
            return $this->name !== 'left';
        }
    }

    final class Users implements IUserManager
    {
        public function getByEmail(string $email): array
        {
            $known = ['alice@example.com' => ['a1'], 'left@example.com' => ['left'], 'twice@example.com' => ['b1', 'b2']];
            return array_map(static fn (string $name): User => new User($name), $known[$email] ?? []);
        }
    }

    final class Session implements IUserSession
    {
        private ?IUser $user;
        public string $happened = '';

        public function __construct()
        {
            $this->user = isset($_COOKIE['session']) ? new User($_COOKIE['session']) : null;
        }

        public function getUser(): ?IUser
        {
            return $this->user;
        }

        public function isLoggedIn(): bool
        {
            return $this->user !== null;
        }

        public function logout(): void
        {
            $this->user = null;
            $this->happened .= ' out';
        }

        public function setUser(?IUser $user): void
        {
            $this->user = $user;
            $this->happened .= ' in';
        }
    }

    require __DIR__ . '/../../../../examples/php/recipes/nextcloud.php';
    $session = new Session();
    (new OCA\Pomerium\AppInfo\Application())->boot(new class ($session) implements IBootContext {
        public function __construct(private readonly Session $session)
        {
        }

        public function injectFn(callable $function): mixed
        {
            return $function($this->session, new Users());
        }
    });
    header('Content-Type: application/json');
    echo json_encode(['user' => $session->getUser()?->getUID(), 'happened' => trim($session->happened)]);
}
