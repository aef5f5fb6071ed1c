package pomerium

// Status is a verifier's state at one moment: all that metrics and alerts need. Alert when State is old or expired, or
// when LastError stays. Times are in Unix seconds, other numbers of time in seconds.
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
	// Counts has how many verifications ended with which code; "ok" counts the accepted ones.
	Counts        map[string]uint64 `json:"counts"`
	Fetches       uint64            `json:"fetches"`
	FetchFailures uint64            `json:"fetch_failures"`
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

// KeyStatus is one key. Fields are empty where the key has no such member.
type KeyStatus struct {
	KID        string `json:"kid"`
	Algorithm  string `json:"alg"`
	Thumbprint string `json:"thumbprint"`
	Usable     bool   `json:"usable"`
	// Reason is why it is not usable.
	Reason string `json:"reason"`
}

// LastError is why keys could not be had.
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

// Health is for a health page. Never a reason to restart the application: that brings no key server back.
type Health struct {
	// Configured is true: a verifier that exists, and is not closed, is configured.
	Configured bool `json:"configured"`
	// KeysLoaded says whether there are keys to judge tokens with. They are fetched with the first token, or by Refresh.
	KeysLoaded bool `json:"keys_loaded"`
	// Stale says whether the keys are older than they should be: the source fails, or nobody has called for a while.
	Stale bool  `json:"stale"`
	State State `json:"state"`
}

func (s *Status) health() Health {
	return Health{
		Configured: true,
		KeysLoaded: s.State != StateEmpty && s.State != StateExpired,
		Stale:      s.State == StateOld || s.State == StateExpired,
		State:      s.State,
	}
}
