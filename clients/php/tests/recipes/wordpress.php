<?php

// The hooks of WordPress that the recipe uses, no more. A user of WordPress's own cookie is user 7.

declare(strict_types=1);

const USERS = ['alice@example.com' => 1];

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

function get_user_by(string $field, string $value): object|false
{
    return isset(USERS[$value]) && $field === 'email' ? (object) ['ID' => USERS[$value]] : false;
}

function wp_insert_user(array $user): int
{
    header('X-Made: ' . json_encode(['pass' => strlen($user['user_pass'])] + $user));
    return 2;
}

function wp_generate_password(int $length): string
{
    return bin2hex(random_bytes($length >> 1));
}

add_filter('determine_current_user', static fn (mixed $user): mixed => isset($_COOKIE['wordpress']) ? 7 : $user);
require __DIR__ . '/../../../../examples/php/recipes/wordpress.php';
header('Content-Type: application/json');
$user = apply_filters('determine_current_user', false);
echo json_encode(['user' => $user, 'out' => apply_filters('logout_url', '/wp-login.php')]);
