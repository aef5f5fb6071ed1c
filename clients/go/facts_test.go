package pomerium

import (
	"net/http"
	"net/url"
	"testing"
)

// The facts that no client of the other tests can send, and the ways in which servers other than net/http's give them.
func TestFactsOfRequests(t *testing.T) {
	for _, row := range []struct {
		method, target string
		version        int
		url            url.URL
		path           string
		upgrade        bool
	}{
		{"GET", "/a/b?c=/d", 1, url.URL{Path: "/a/b"}, "/a/b", false},
		{"GET", "/%61", 1, url.URL{Path: "/a", RawPath: "/%61"}, "/%61", false},
		{"GET", "/%61", 1, url.URL{Path: "/a"}, "", false},
		{"GET", "http://host/a?b", 1, url.URL{Path: "/a"}, "/a", false},
		{"GET", "http://host", 1, url.URL{}, "", false},
		{"GET", "http://host?x=/a", 1, url.URL{Path: "/a"}, "", false},
		{"GET", "http:/a", 1, url.URL{Path: "/a"}, "", false},
		{"GET", "a", 1, url.URL{Path: "/a"}, "", false},
		{"GET", "", 1, url.URL{Path: "/a"}, "", false},
		{"OPTIONS", "*", 1, url.URL{Path: "*"}, "", false},
		{"CONNECT", "host:443", 1, url.URL{Host: "host:443"}, "", false},
		{"CONNECT", "/a", 1, url.URL{Path: "/a"}, "", false},
		{"CONNECT", "/a", 2, url.URL{Path: "/a"}, "", true}, // a WebSocket of HTTP/2, RFC 8441
	} {
		request := &http.Request{Method: row.method, RequestURI: row.target, URL: &row.url, ProtoMajor: row.version}
		got := facts(request, "X-Token")
		if got.Path != row.path || got.Upgrade != row.upgrade || got.Token != "" {
			t.Errorf("%+v: %+v", row, got)
		}
	}
}
