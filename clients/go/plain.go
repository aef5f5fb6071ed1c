//go:build cgo

package pomerium

import (
	"strconv"
	"strings"
	"time"
)

// plainIdentity reads an identity as the library writes it: without white space, with all members, in this order. For any
// other text, and for one in which a character is escaped, it gives nil: encoding/json, which takes longer, reads those.
func plainIdentity(output string) *Identity {
	if strings.Contains(output, `\`) {
		return nil
	}
	reader := plainReader{rest: output}
	identity := &Identity{
		Subject:   reader.text(`{"subject":`),
		User:      reader.text(`,"user":`),
		Email:     reader.text(`,"email":`),
		Name:      reader.text(`,"name":`),
		Groups:    reader.texts(`,"groups":`),
		SessionID: reader.text(`,"session_id":`),
		TokenID:   reader.text(`,"token_id":`),
		Issuer:    reader.text(`,"issuer":`),
		Audience:  reader.texts(`,"audience":`),
		IssuedAt:  reader.time(`,"issued_at":`),
		ExpiresAt: reader.time(`,"expires_at":`),
		Anonymous: reader.boolean(`,"anonymous":`),
	}
	reader.demand("}")
	if reader.failed || reader.rest != "" {
		return nil
	}
	return identity
}

// A plainReader takes a text apart from its beginning. Nothing in it is escaped, so that a quotation mark ends a string.
// After a failure what it gives means nothing.
type plainReader struct {
	rest   string
	failed bool
}

// take says whether the rest begins with this, and goes on after it.
func (r *plainReader) take(text string) bool {
	rest, found := strings.CutPrefix(r.rest, text)
	r.rest = rest
	return found
}

func (r *plainReader) demand(text string) {
	if !r.take(text) {
		r.failed = true
	}
}

// text is the string of the member that begins so, "" if it is null.
func (r *plainReader) text(member string) string {
	r.demand(member)
	if r.take("null") {
		return ""
	}
	return r.quoted()
}

func (r *plainReader) quoted() string {
	r.demand(`"`)
	text, rest, found := strings.Cut(r.rest, `"`)
	if !found {
		r.failed = true
	}
	r.rest = rest
	return text
}

func (r *plainReader) texts(member string) []string {
	texts := make([]string, 0, 4)
	r.demand(member)
	r.demand("[")
	for !r.failed && !r.take("]") {
		if len(texts) > 0 {
			r.demand(",")
		}
		texts = append(texts, r.quoted())
	}
	return texts
}

// time is the zero time if the member is null.
func (r *plainReader) time(member string) time.Time {
	r.demand(member)
	if r.take("null") {
		return time.Time{}
	}
	digits, _, _ := strings.Cut(r.rest, ",")
	seconds, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		r.failed = true
	}
	r.rest = r.rest[len(digits):]
	return time.Unix(seconds, 0).UTC()
}

func (r *plainReader) boolean(member string) bool {
	r.demand(member)
	value := r.take("true")
	if !value {
		r.demand("false")
	}
	return value
}
