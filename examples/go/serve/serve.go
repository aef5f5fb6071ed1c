// Package serve runs the example applications, each with what its tests set by environment variables.
package serve

import (
	"cmp"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// Run serves an application on 127.0.0.1, at the port that PORT names, with HTTP/1.1 and HTTP/2 without TLS.
func Run(application http.Handler) {
	listener, err := net.Listen("tcp", "127.0.0.1:"+cmp.Or(os.Getenv("PORT"), "8080"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	server := &http.Server{
		Handler:                      rewriting(application),
		Protocols:                    &http.Protocols{},
		DisableGeneralOptionsHandler: true, // else net/http answers OPTIONS * by itself
	}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	log.Fatal(server.Serve(listener))
}

// Origin is the origin that the CORS middleware of an application allows, "" for none.
func Origin() string { return os.Getenv("CORS_ORIGIN") }

// rewriting gives requests for one path another one, if REWRITE says so: /from=/to.
func rewriting(next http.Handler) http.Handler {
	from, to, set := strings.Cut(os.Getenv("REWRITE"), "=")
	if !set {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == from {
			rewritten := *r
			rewritten.URL = &url.URL{Path: to, RawQuery: r.URL.RawQuery}
			r = &rewritten
		}
		next.ServeHTTP(w, r)
	})
}
