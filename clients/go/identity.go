//go:build cgo

package pomerium

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"
)

// An Identity says who is calling, as Pomerium says and its signature proves. Share it, and do not change it. Printed with
// fmt or logged with slog, it shows no personal data; encoding/json writes every field, also if a JSON log has a struct
// that holds an identity.
type Identity struct {
	// Subject is `sub`, the user's id at the identity provider. Empty only when Anonymous.
	Subject string
	// User equals the subject in current versions of Pomerium. Empty when missing.
	User string
	// Email is empty when missing.
	Email string
	// Name is the display name. Empty when missing.
	Name string
	// Groups has ids and names from the directory. Never nil.
	Groups []string
	// SessionID is `sid`, the session or the service account. Set for some anonymous requests too: no proof of a user.
	SessionID string
	// TokenID is `jti`, fresh for each request (Pomerium 0.27 and later). Empty when missing.
	TokenID string
	// Issuer is `iss`.
	Issuer string
	// Audience is `aud`.
	Audience []string
	// IssuedAt is `iat`: the time of the request (Pomerium 0.29 and later), the session's begin in older versions. The zero time
	// when missing.
	IssuedAt time.Time
	// ExpiresAt is `exp`, five minutes after the request. Long connections outlive it: see [ExpiryContext].
	ExpiresAt time.Time
	// Anonymous says that nobody is signed in: `sub` was empty and AllowAnonymous is set. A signed token does not mean a signed-in
	// user.
	Anonymous bool

	claims string
}

// Claims decodes the verified payload into v, as [json.Unmarshal] does: your own struct with the claims you need.
func (i *Identity) Claims(v any) error { return json.Unmarshal([]byte(i.claims), v) }

// ClaimsText is the verified payload as its own JSON text, for a reader of your own.
func (i *Identity) ClaimsText() string { return i.claims }

// IsUser says whether somebody is signed in. It is false for a zero Identity.
func (i *Identity) IsUser() bool { return i.Subject != "" && !i.Anonymous }

// InGroup says whether the user is in this group.
func (i *Identity) InGroup(group string) bool { return slices.Contains(i.Groups, group) }

// InAnyGroup says whether the user is in one of these groups at least.
func (i *Identity) InAnyGroup(groups ...string) bool { return slices.ContainsFunc(groups, i.InGroup) }

// InAllGroups says whether the user is in each of these groups.
func (i *Identity) InAllGroups(groups ...string) bool {
	return !slices.ContainsFunc(groups, func(group string) bool { return !i.InGroup(group) })
}

// String shows no personal data.
func (i Identity) String() string {
	return fmt.Sprintf("Identity(anonymous=%t groups=%d issuer=%q expires_at=%s)",
		i.Anonymous, len(i.Groups), i.Issuer, i.ExpiresAt.Format(time.RFC3339))
}

// Format writes the text of String for every verb: %+v and %#v would show every field. Like String and LogValue it is a
// method of the value, so that copies are covered too.
func (i Identity) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, i.String()) }

// LogValue is what String says, for [slog].
func (i Identity) LogValue() slog.Value {
	return slog.GroupValue(
		slog.Bool("anonymous", i.Anonymous),
		slog.Int("groups", len(i.Groups)),
		slog.String("issuer", i.Issuer),
		slog.Time("expires_at", i.ExpiresAt),
	)
}

// ExpiryContext is a context that ends when the token expires, for WebSockets and other connections that outlive it.
// Its cause is then ErrTokenExpired.
func ExpiryContext(parent context.Context, identity *Identity) (context.Context, context.CancelFunc) {
	return context.WithDeadlineCause(parent, identity.ExpiresAt, ErrTokenExpired)
}

// identityDocument is an identity as the library writes it, with the same names in every language. What the token lacks is null.
type identityDocument struct {
	Subject   string   `json:"subject"`
	User      *string  `json:"user"`
	Email     *string  `json:"email"`
	Name      *string  `json:"name"`
	Groups    []string `json:"groups"`
	SessionID *string  `json:"session_id"`
	TokenID   *string  `json:"token_id"`
	Issuer    string   `json:"issuer"`
	Audience  []string `json:"audience"`
	IssuedAt  *int64   `json:"issued_at"`
	ExpiresAt int64    `json:"expires_at"`
	Anonymous bool     `json:"anonymous"`
}

// MarshalJSON writes every typed field with the names that all languages have: user and email are null if missing,
// times are Unix seconds.
func (i Identity) MarshalJSON() ([]byte, error) {
	written := identityDocument{
		Subject:   i.Subject,
		User:      orNull(i.User),
		Email:     orNull(i.Email),
		Name:      orNull(i.Name),
		Groups:    append([]string{}, i.Groups...),
		SessionID: orNull(i.SessionID),
		TokenID:   orNull(i.TokenID),
		Issuer:    i.Issuer,
		Audience:  append([]string{}, i.Audience...),
		ExpiresAt: i.ExpiresAt.Unix(),
		Anonymous: i.Anonymous,
	}
	if !i.IssuedAt.IsZero() {
		written.IssuedAt = Ptr(i.IssuedAt.Unix())
	}
	return json.Marshal(written)
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func orEmpty(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// newIdentity reads the library's document.
func newIdentity(output, claims string) (*Identity, error) {
	identity := plainIdentity(output)
	if identity == nil {
		read := identityDocument{}
		if err := json.Unmarshal([]byte(output), &read); err != nil {
			return nil, newError(codeInternal, "the library's identity cannot be read: "+err.Error())
		}
		identity = read.identity()
	}
	identity.claims = claims
	return identity, nil
}

func (read identityDocument) identity() *Identity {
	identity := &Identity{
		Subject:   read.Subject,
		User:      orEmpty(read.User),
		Email:     orEmpty(read.Email),
		Name:      orEmpty(read.Name),
		Groups:    read.Groups,
		SessionID: orEmpty(read.SessionID),
		TokenID:   orEmpty(read.TokenID),
		Issuer:    read.Issuer,
		Audience:  read.Audience,
		ExpiresAt: time.Unix(read.ExpiresAt, 0).UTC(),
		Anonymous: read.Anonymous,
	}
	if read.IssuedAt != nil {
		identity.IssuedAt = time.Unix(*read.IssuedAt, 0).UTC()
	}
	return identity
}
