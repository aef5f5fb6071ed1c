<?php

// The hooks of WordPress that the recipe uses, no more. A user of WordPress's own cookie is user 7.

declare(strict_types=1);

const USERS = [
    'alice@example.com' => [1, ['editor']],
    'root@example.com' => [3, ['administrator']],
];

// phpcs:disable Squiz.Classes.ValidClassName, PSR1.Methods.CamelCapsMethodName -- the names are WordPress's
final class WP_User
{
    public function __construct(public readonly int $ID, public array $roles)
    {
    }

    public function set_role(string $role): void
    {
        $this->roles = [$role];
        $GLOBALS['given'] = $role;
    }
}

$filters = [];

function add_filter(string $name, callable $filter, int $priority = 10): void
{
    $GLOBALS['filters'][$name][$priority][] = $filter;
}

function apply_filters(string $name, mixed $value): mixed
{
    $filters = $GLOBALS['filters'][$name] ?? [];
    ksort($filters);
    foreach (array_merge(...array_values($filters)) as $filter) {
        $value = $filter($value);
    }
    return $value;
}

function get_user_by(string $field, string $value): WP_User|false
{
    return isset(USERS[$value]) && $field === 'email' ? new WP_User(...USERS[$value]) : false;
}

function wp_insert_user(array $user): int
{
    $GLOBALS['given'] = $user['role'];
    return strlen($user['user_pass']) === 64 ? 2 : 0;
}

function wp_generate_password(int $length): string
{
    return bin2hex(random_bytes($length >> 1));
}

add_filter('determine_current_user', static fn (mixed $user): mixed => isset($_COOKIE['wordpress']) ? 7 : $user);
require __DIR__ . '/../../../../examples/php/recipes/wordpress.php';
header('Content-Type: application/json');
$user = apply_filters('determine_current_user', false);
echo json_encode(['user' => $user, 'given' => $given ?? null, 'out' => apply_filters('logout_url', '/wp-login.php')]);
