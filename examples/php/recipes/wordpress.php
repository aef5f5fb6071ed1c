<?php

// WordPress: wp-content/mu-plugins/pomerium.php, with protect.php as auto_prepend_file. Pomerium's user is WordPress's user,
// in each request again; a cookie of WordPress signs nobody in. Administrators are the users in the group `admins`, and
// nobody else; all other roles are given in WordPress.

declare(strict_types=1);

add_filter('determine_current_user', static function (int|false $fromCookie): int|false {
    if (PHP_SAPI === 'cli') {
        return $fromCookie;
    }
    $identity = $GLOBALS['pomerium'] ?? null;
    if (!$identity?->isUser() || $identity->email === null) {
        return false;
    }
    $role = $identity->inGroup('admins') ? 'administrator' : 'subscriber';
    $user = get_user_by('email', $identity->email);
    if ($user !== false) {
        if (in_array('administrator', $user->roles, true) !== ($role === 'administrator')) {
            $user->set_role($role);
        }
        return $user->ID;
    }
    $made = wp_insert_user([
        'user_login' => $identity->email,
        'user_email' => $identity->email,
        'display_name' => $identity->name ?? $identity->email,
        'user_pass' => wp_generate_password(64),
        'role' => $role,
    ]);
    return is_int($made) ? $made : false;
}, PHP_INT_MAX);

add_filter('logout_url', static fn (): string => PomeriumJwt\logout_url());
