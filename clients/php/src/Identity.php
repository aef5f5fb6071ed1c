<?php

declare(strict_types=1);

namespace PomeriumJwt;

use DateTimeImmutable;
use JsonSerializable;

/**
 * Who is calling, as Pomerium says and its signature proves. Immutable; var_dump and print_r show no personal data,
 * json_encode every field, with the names that all languages have.
 */
final class Identity implements JsonSerializable
{
    /** `sub`, the user's id at the identity provider. Empty only when anonymous. */
    public readonly string $subject;
    /** Equals the subject in current versions of Pomerium. Null when missing or empty. */
    public readonly ?string $user;
    /** Null when missing or empty. */
    public readonly ?string $email;
    /** The display name. Null when missing or empty. */
    public readonly ?string $name;
    /** @var list<string> ids and names from the directory */
    public readonly array $groups;
    /** `sid`, the session or the service account. Set for some anonymous requests too: no proof of a user. */
    public readonly ?string $sessionId;
    /** `jti`, fresh for each request (Pomerium 0.27 and later). Null when missing or empty. */
    public readonly ?string $tokenId;
    /** `iss` */
    public readonly string $issuer;
    /** @var list<string> `aud` */
    public readonly array $audience;
    /** `iat` in Unix seconds: the time of the request (Pomerium 0.29 and later). Null when missing. */
    public readonly ?int $issuedAt;
    /** `exp` in Unix seconds, five minutes after the request. Long connections outlive it. */
    public readonly int $expiresAt;
    /** Nobody is signed in: `sub` was empty and allow_anonymous is set. */
    public readonly bool $anonymous;

    private ?array $claims = null;

    /**
     * @internal made by Verifier
     */
    public function __construct(string $document, private readonly string $claimsText)
    {
        $fields = Json::decode($document);
        $this->subject = $fields['subject'];
        $this->user = $fields['user'];
        $this->email = $fields['email'];
        $this->name = $fields['name'];
        $this->groups = $fields['groups'];
        $this->sessionId = $fields['session_id'];
        $this->tokenId = $fields['token_id'];
        $this->issuer = $fields['issuer'];
        $this->audience = $fields['audience'];
        $this->issuedAt = $fields['issued_at'];
        $this->expiresAt = $fields['expires_at'];
        $this->anonymous = $fields['anonymous'];
    }

    /** Whether somebody is signed in. */
    public function isUser(): bool
    {
        return $this->subject !== '' && !$this->anonymous;
    }

    public function inGroup(string $group): bool
    {
        return \in_array($group, $this->groups, true);
    }

    /** Whether the user is in one of these groups at least. */
    public function inAnyGroup(string ...$groups): bool
    {
        return \array_intersect($groups, $this->groups) !== [];
    }

    /** Whether the user is in each of these groups. */
    public function inAllGroups(string ...$groups): bool
    {
        return \array_diff($groups, $this->groups) === [];
    }

    public function expiresAtDateTime(): DateTimeImmutable
    {
        return new DateTimeImmutable("@$this->expiresAt");
    }

    /**
     * The whole verified payload, decoded on first use. Objects are arrays by name; an integer that PHP's int cannot
     * hold is a string of its digits.
     *
     * @return array<string, mixed>
     */
    public function claims(): array
    {
        return $this->claims ??= Json::decode($this->claimsText);
    }

    /** The verified payload as its own JSON text, for a reader of your own. */
    public function claimsText(): string
    {
        return $this->claimsText;
    }

    /**
     * The typed fields, under the names that they have in every language.
     *
     * @return array<string, mixed>
     */
    public function toArray(): array
    {
        return [
            'subject' => $this->subject,
            'user' => $this->user,
            'email' => $this->email,
            'name' => $this->name,
            'groups' => $this->groups,
            'session_id' => $this->sessionId,
            'token_id' => $this->tokenId,
            'issuer' => $this->issuer,
            'audience' => $this->audience,
            'issued_at' => $this->issuedAt,
            'expires_at' => $this->expiresAt,
            'anonymous' => $this->anonymous,
        ];
    }

    public function jsonSerialize(): array
    {
        return $this->toArray();
    }

    /** What var_dump and print_r show. */
    public function __debugInfo(): array
    {
        return [
            'anonymous' => $this->anonymous,
            'groups' => \count($this->groups),
            'issuer' => $this->issuer,
            'expiresAt' => $this->expiresAt,
        ];
    }
}
