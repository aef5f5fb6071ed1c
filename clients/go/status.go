//go:build cgo

package pomerium

// Status is a verifier's state at one moment: all that metrics and alerts need. Alert if LastError stays for minutes, if
// Health.KeysLoaded stays false, and on counts of keys_unavailable and keys_empty; not on State alone, for the keys of an
// idle application are old and are fetched before they are used. Times are in Unix seconds, other numbers of time in seconds.
type Status struct {
	// Source is the option the keys come from, with its address or path.
	Source string `json:"source"`
	State  State  `json:"state"`
	// Age is the seconds since the set in use was asked for; nil for static sources.
	Age *int64 `json:"age"`
	// TTL is the seconds for which the set in use is fresh; nil for static sources.
	TTL *int64 `json:"ttl"`
	// Keys has the keys of the set in use, and those that were passed over.
	Keys []KeyStatus `json:"keys"`
	// LastSuccess is when the keys were last read or fetched.
	LastSuccess *int64 `json:"last_success"`
	// LastError is the last failure since then.
	LastError *LastError `json:"last_error"`
	// NextAttempt is the seconds until the next fetch may start; nil for static sources.
	NextAttempt *int64 `json:"next_attempt"`
	// Pinned is what TrustOnFirstUse holds on to.
	Pinned *Pinned `json:"pinned"`
	// Counts has how many answers had which code, every code, also at 0; "ok" counts the verified ones, "passed" the
	// admissions without an identity.
	Counts        map[string]uint64 `json:"counts"`
	Fetches       uint64            `json:"fetches"`
	FetchFailures uint64            `json:"fetch_failures"`
	// FetchSeconds is how long the last fetch took; nil before the first, and for static sources.
	FetchSeconds *float64 `json:"fetch_seconds"`
	// KeySet is a hash over the thumbprints of Keys: equal if two instances have the same keys. Empty without any.
	KeySet *string `json:"key_set"`
	// Health is what probes ask for.
	Health Health `json:"health"`
	// Summary is the line to log at start: what is accepted, where the keys come from, and the request options.
	Summary string `json:"summary"`
	// HeaderName, Optional, ExemptPaths and RequireGroup are the options of these names.
	HeaderName   string   `json:"header_name"`
	Optional     bool     `json:"optional"`
	ExemptPaths  []string `json:"exempt_paths"`
	RequireGroup []string `json:"require_group"`
}

// A State is how old the keys are.
type State string

// The states of keys. The project's README says what follows from each.
const (
	StateStatic  State = "static"  // from the options or a file
	StateEmpty   State = "empty"   // not fetched yet
	StateFresh   State = "fresh"   // younger than the ttl
	StateAging   State = "aging"   // younger than twice the ttl
	StateOld     State = "old"     // in use only while the source fails
	StateExpired State = "expired" // in use no more
)

// KeyStatus is one key. Fields are empty if the key has no such member.
type KeyStatus struct {
	KID        string `json:"kid"`
	Algorithm  string `json:"alg"`
	Thumbprint string `json:"thumbprint"`
	Usable     bool   `json:"usable"`
	// Reason is why it is not usable.
	Reason string `json:"reason"`
}

// LastError says why keys could not be loaded.
type LastError struct {
	// Code is dns, connect, tls, timeout, status, body, refused or spawn.
	Code    string `json:"code"`
	Message string `json:"message"`
	At      int64  `json:"at"`
}

// Pinned is the issuer and audience of the first token.
type Pinned struct {
	Issuer   string   `json:"issuer"`
	Audience []string `json:"audience"`
}

// Health says whether an instance can verify, for health pages and probes. Ready is `KeysLoaded || !Asked`; Stale is a
// warning. Never restart the application because of it: that brings no key server back.
type Health struct {
	// Configured is true: a verifier that exists, and is not closed, is configured.
	Configured bool `json:"configured"`
	// Asked says whether the keys have been asked for, by the first token or by Refresh.
	Asked bool `json:"asked"`
	// KeysLoaded says whether there is a usable key that has not expired.
	KeysLoaded bool `json:"keys_loaded"`
	// Stale says whether the keys are old and the last fetch failed.
	Stale bool `json:"stale"`
}
