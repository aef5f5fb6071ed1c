package pomerium_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	pomerium "github.com/pomerium-jwt/pomerium-go"
	"github.com/pomerium-jwt/pomerium-go/pomeriumtest"
)

type claims = pomeriumtest.Claims

const year2100 = 4_102_444_800

func TestTheClockIsTheSystemS(t *testing.T) {
	issuer := pomeriumtest.NewIssuer(t)
	verifier := issuer.Verifier()
	if _, err := verifier.Verify(t.Context(), issuer.Token(claims{"exp": year2100})); err != nil {
		t.Errorf("a token of the year 2100: %v", err)
	}
	if _, err := verifier.Verify(t.Context(), issuer.Token(claims{"iat": 0, "exp": 1})); !errors.Is(err, pomerium.ErrTokenExpired) {
		t.Errorf("a token of 1970: %v", err)
	}
	if _, err := verifier.VerifyAt(issuer.Token(claims{"iat": 0, "exp": 100}), time.Unix(99, 0)); err != nil {
		t.Errorf("in 1970: %v", err)
	}
}

func TestHostileTokens(t *testing.T) {
	issuer := pomeriumtest.NewIssuer(t)
	verifier := issuer.Verifier()
	good := issuer.Token(nil)
	for _, row := range []struct {
		name, token string
		code        pomerium.Code
	}{
		{"empty", "", pomerium.ErrTokenMissing},
		{"NUL", "a\x00b", pomerium.ErrTokenMalformed},
		{"NUL in a good one", good[:9] + "\x00" + good[10:], pomerium.ErrTokenMalformed},
		{"no text", "\xff\xfe", pomerium.ErrTokenMalformed},
		{"oversized", strings.Repeat("x", 131_073), pomerium.ErrTokenTooLarge},
		{"two", good + "," + good, pomerium.ErrTokenRepeated},
		{"altered", good[:len(good)-6] + "AAAAAA", pomerium.ErrSignatureInvalid},
		{"cut", good[:len(good)-1], pomerium.ErrTokenMalformed},
		{"slice of a longer one", (good + "x")[:len(good)], ""},
		{"expired", issuer.Expired(), pomerium.ErrTokenExpired},
		{"for another application", issuer.WrongAudience(), pomerium.ErrAudienceMismatch},
	} {
		_, err := verifier.Verify(t.Context(), row.token)
		if got := codeOf(err); got != row.code {
			t.Errorf("%s: %v", row.name, err)
		}
		var refused *pomerium.Error
		if errors.As(err, &refused) && (refused.Status != 401 || refused.Kind != pomerium.KindToken || refused.RetryAfter != 0) {
			t.Errorf("%s: %+v", row.name, refused)
		}
	}
}

func TestIdentity(t *testing.T) {
	issuer := pomeriumtest.NewIssuer(t)
	token := issuer.Token(claims{"groups": []string{"admins", "staff"}, "exp": year2100, "department": "R&D"})
	identity, err := issuer.Verifier().Verify(t.Context(), token)
	must(t, err)
	var own struct{ Department string }
	must(t, identity.Claims(&own))
	for _, row := range []struct {
		name          string
		got, expected any
	}{
		{"Subject", identity.Subject, "alice"},
		{"Email", identity.Email, "alice@example.com"},
		{"Groups", fmt.Sprint(identity.Groups), "[admins staff]"},
		{"SessionID", identity.SessionID, ""},
		{"ExpiresAt", identity.ExpiresAt, time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)},
		{"IsUser", identity.IsUser(), true},
		{"Claims", own.Department, "R&D"},
		{"ClaimsText", json.Valid([]byte(identity.ClaimsText())), true},
		{"InGroup", identity.InGroup("staff"), true},
		{"InGroup, another", identity.InGroup("dev"), false},
		{"InAnyGroup", identity.InAnyGroup("dev", "staff"), true},
		{"InAnyGroup, another", identity.InAnyGroup("dev"), false},
		{"InAnyGroup of none", identity.InAnyGroup(), false},
		{"InAllGroups", identity.InAllGroups("admins", "staff"), true},
		{"InAllGroups, another", identity.InAllGroups("admins", "dev"), false},
	} {
		if row.got != row.expected {
			t.Errorf("%s: %v, expected %v", row.name, row.got, row.expected)
		}
	}
	if err := identity.Claims(nil); err == nil {
		t.Error("claims need somewhere to go")
	}
	without, err := issuer.Verifier().Verify(t.Context(), issuer.Token(claims{"iat": pomeriumtest.Absent}))
	if err != nil || !without.IssuedAt.IsZero() {
		t.Errorf("without iat IssuedAt is the zero time: %v %v", without, err)
	}
}

func TestPrintingShowsNoPersonalData(t *testing.T) {
	issuer := pomeriumtest.NewIssuer(t)
	identity, err := issuer.Verifier().Verify(t.Context(), issuer.Token(claims{"groups": []string{"secret-group"}}))
	must(t, err)
	var log bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(handler).Info("in", "identity", identity, "value", *identity)
	}
	printed := log.String()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		printed += fmt.Sprintf(verb+verb, identity, *identity)
	}
	for _, personal := range []string{"alice", "Alice", "secret-group", "616c696365"} {
		if strings.Contains(printed, personal) {
			t.Errorf("%q is in %s", personal, printed)
		}
	}
	if !strings.Contains(printed, `issuer="app.example.com"`) {
		t.Errorf("it should say what identity it is: %s", printed)
	}
}

func TestAfterClose(t *testing.T) {
	issuer := pomeriumtest.NewIssuer(t)
	verifier, err := pomerium.New(issuer.Options())
	must(t, err)
	must(t, verifier.Close())
	must(t, verifier.Close())
	_, verified := verifier.Verify(t.Context(), issuer.Token(nil))
	_, verifiedAt := verifier.VerifyAt(issuer.Token(nil), time.Now())
	_, admitted := verifier.Admit(t.Context(), pomerium.Request{})
	_, with := verifier.With(pomerium.RequestOptions{})
	_, metrics := verifier.Metrics()
	_, status := verifier.Status()
	for name, err := range map[string]error{
		"Verify": verified, "VerifyAt": verifiedAt, "Status": status, "Admit": admitted, "With": with, "Metrics": metrics,
		"Refresh": verifier.Refresh(t.Context(), false), "Refresh, forced": verifier.Refresh(t.Context(), true),
	} {
		var refused *pomerium.Error
		if !errors.As(err, &refused) || refused.Code != pomerium.ErrInvalidArgument || refused.Status != 500 || !strings.Contains(refused.Message, "closed") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if health := verifier.Health(); health != (pomerium.Health{}) {
		t.Errorf("%+v", health)
	}
	if verifier.Summary() != "" || verifier.HeaderName() != "" {
		t.Error("a closed verifier has neither")
	}
	zero := &pomerium.Verifier{}
	_, verified = zero.Verify(t.Context(), "")
	_, admitted = zero.Admit(t.Context(), pomerium.Request{})
	_, with = zero.With(pomerium.RequestOptions{})
	for _, err := range []error{verified, admitted, with, zero.Refresh(t.Context(), false)} {
		if !errors.Is(err, pomerium.ErrInvalidArgument) {
			t.Errorf("a verifier that New has not made: %v", err)
		}
	}
}

// The race detector watches over this one.
func TestCloseWhileOthersVerify(t *testing.T) {
	issuer := pomeriumtest.NewIssuer(t)
	token := issuer.Token(nil)
	for range 20 {
		verifier, err := pomerium.New(issuer.Options())
		must(t, err)
		var begun, ended sync.WaitGroup
		begun.Add(4)
		for range 4 {
			spawn(&ended, func() {
				_, err := verifier.Verify(context.Background(), token)
				begun.Done()
				for err == nil {
					_, err = verifier.Verify(context.Background(), token)
				}
				if !errors.Is(err, pomerium.ErrInvalidArgument) {
					t.Error(err)
				}
			})
		}
		begun.Wait()
		must(t, verifier.Close())
		ended.Wait()
	}
}

func TestSixteenGoroutinesShareOneVerifier(t *testing.T) {
	issuer := pomeriumtest.NewIssuer(t)
	verifier := issuer.Verifier()
	start := make(chan struct{})
	var ended sync.WaitGroup
	for number := range 16 {
		subject := fmt.Sprintf("user-%d", number)
		token := issuer.Token(claims{"sub": subject})
		spawn(&ended, func() {
			<-start
			for range 200 {
				identity, err := verifier.Verify(context.Background(), token)
				if err != nil || identity.Subject != subject {
					t.Errorf("%s: %v %v", subject, identity, err)
				}
				if _, err := verifier.Verify(context.Background(), token+"A"); codeOf(err) == "" {
					t.Errorf("%s with a forged token", subject)
				}
			}
		})
	}
	close(start)
	ended.Wait()
	status, err := verifier.Status()
	must(t, err)
	total := uint64(0)
	for _, count := range status.Counts {
		total += count
	}
	if status.Counts["ok"] != 16*200 || total != 2*16*200 {
		t.Errorf("%v", status.Counts)
	}
}

func TestKeysUnavailableSaysWhenToComeAgain(t *testing.T) {
	issuer := pomeriumtest.NewIssuer(t)
	verifier := newVerifier(t, pomerium.Options{Route: []string{"http://127.0.0.1:9"}}) // the discard port: nobody listens
	for range 2 {
		_, err := verifier.Verify(t.Context(), issuer.Token(nil))
		var refused *pomerium.Error
		if !errors.As(err, &refused) || refused.Code != pomerium.ErrKeysUnavailable || refused.Status != 503 || refused.RetryAfter < time.Second {
			t.Fatalf("%+v", err)
		}
	}
	if health := verifier.Health(); health != (pomerium.Health{Configured: true, Asked: true}) {
		t.Errorf("%+v", health)
	}
	if err := verifier.Refresh(t.Context(), true); !errors.Is(err, pomerium.ErrKeysUnavailable) {
		t.Error(err)
	}
}

func TestStatusAndHealth(t *testing.T) {
	issuer := pomeriumtest.NewIssuer(t)
	verifier := issuer.Verifier()
	_, err := verifier.Verify(t.Context(), issuer.Token(nil))
	must(t, err)
	status, err := verifier.Status()
	must(t, err)
	if status.Source != "jwks" || status.State != pomerium.StateStatic || status.Counts["ok"] != 1 || !status.Keys[0].Usable {
		t.Errorf("%+v", status)
	}
	if health := verifier.Health(); health != (pomerium.Health{Configured: true, Asked: true, KeysLoaded: true}) {
		t.Errorf("%+v", health)
	}
}

func TestWithHasOtherRequestOptionsOverTheSameKeys(t *testing.T) {
	issuer := pomeriumtest.NewIssuer(t)
	options := issuer.Options()
	options.Optional = true
	base := newVerifier(t, options)
	strict, err := base.With(pomerium.RequestOptions{Optional: pomerium.Ptr(false), RequireGroup: []string{"admins"}, HeaderName: "X-Other"})
	must(t, err)
	defer func() { _ = strict.Close() }()
	if _, err := base.Admit(t.Context(), pomerium.Request{}); err != nil {
		t.Error(err)
	}
	if _, err := strict.Admit(t.Context(), pomerium.Request{}); !errors.Is(err, pomerium.ErrTokenMissing) {
		t.Error(err)
	}
	must(t, base.Close()) // in any order
	_, err = strict.Admit(t.Context(), pomerium.Request{Token: issuer.Token(nil)})
	if !errors.Is(err, pomerium.ErrGroupRequired) || strict.HeaderName() != "X-Other" || !strings.Contains(strict.Summary(), `require_group: "admins"`) {
		t.Error(err, strict.Summary())
	}
	status, err := strict.Status()
	must(t, err)
	if status.Counts["passed"] != 1 || status.Counts["token_missing"] != 1 || status.Optional {
		t.Errorf("counts are shared, options are its own: %+v", status)
	}
	if _, err := strict.With(pomerium.RequestOptions{ExemptPaths: []string{"/*"}}); !errors.Is(err, pomerium.ErrInvalidOptions) {
		t.Error(err)
	}
}

func TestMetrics(t *testing.T) {
	issuer := pomeriumtest.NewIssuer(t)
	verifier := issuer.Verifier()
	_, err := verifier.Verify(t.Context(), issuer.Token(nil))
	must(t, err)
	metrics, err := verifier.Metrics()
	must(t, err)
	if !strings.Contains(metrics, "\npomerium_jwt_verifications_total{code=\"ok\"} 1\n") || !strings.HasSuffix(metrics, "# EOF\n") {
		t.Error(metrics)
	}
}

func TestACancelledWait(t *testing.T) {
	issuer := startIssuer(t)
	token := issuer.mint()
	issuer.post("/fault?kind=hang")
	options := issuer.options()
	options.Timeout = pomerium.Ptr(time.Minute)
	verifier := newVerifier(t, options)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	_, err := verifier.Verify(ctx, token)
	var refused *pomerium.Error
	if !errors.Is(err, context.Canceled) || !errors.As(err, &refused) || refused.Code != pomerium.ErrKeysUnavailable || refused.Status != 503 {
		t.Errorf("%v", err)
	} else if seconds, err := strconv.Atoi(refused.Header().Get("Retry-After")); err != nil || seconds < 1 {
		t.Errorf("%v", refused.Header())
	}
	if _, err := verifier.Admit(ctx, pomerium.Request{Token: token}); !errors.Is(err, context.Canceled) || !errors.Is(err, pomerium.ErrKeysUnavailable) {
		t.Errorf("%v", err)
	}
	if err := verifier.Refresh(ctx, false); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	issuer.stop() // ends the fetch, for which Close waits
	must(t, verifier.Close())
}

func TestCloseWaitsForARefresh(t *testing.T) {
	issuer := startIssuer(t)
	issuer.post("/fault?kind=hang")
	options := issuer.options()
	options.Timeout = pomerium.Ptr(time.Minute)
	verifier := newVerifier(t, options)
	refreshed, closed := make(chan error), make(chan struct{})
	go func() { refreshed <- verifier.Refresh(context.Background(), true) }()
	for issuer.fetches() == 0 {
		time.Sleep(time.Millisecond)
	}
	go func() {
		_ = verifier.Close()
		close(closed)
	}()
	select {
	case <-closed:
		t.Error("closed while a call was running")
	case <-time.After(100 * time.Millisecond):
	}
	issuer.stop() // ends the fetch
	if err := <-refreshed; !errors.Is(err, pomerium.ErrKeysUnavailable) {
		t.Error(err)
	}
	<-closed
}

func TestAContextBoundsTheWaitForKeysAndNothingElse(t *testing.T) {
	issuer := pomeriumtest.NewIssuer(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := issuer.Verifier().Verify(ctx, issuer.Token(nil)); err != nil {
		t.Error(err)
	}
}

func TestLogoutURL(t *testing.T) {
	for returnTo, expected := range map[string]string{
		"": "/.pomerium/sign_out",
		"https://app.example.com/a b?x=1+2&y=ü#top": "/.pomerium/sign_out?pomerium_redirect_uri=" +
			"https%3A%2F%2Fapp.example.com%2Fa%20b%3Fx%3D1%2B2%26y%3D%C3%BC%23top",
	} {
		if got := pomerium.LogoutURL(returnTo); got != expected {
			t.Errorf("%q: %s", returnTo, got)
		}
	}
}

// codeOf is the code of an error, "" of none.
func codeOf(err error) pomerium.Code {
	var refused *pomerium.Error
	if errors.As(err, &refused) {
		return refused.Code
	}
	return ""
}

// spawn is what sync.WaitGroup has as Go since Go 1.25.
func spawn(group *sync.WaitGroup, work func()) {
	group.Add(1)
	go func() {
		defer group.Done()
		work()
	}()
}
