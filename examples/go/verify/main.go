// Command verify reads a token from standard input and says who is calling. The environment says what to check:
// POMERIUM_JWT_ROUTE=https://app.example.com verify < token
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	pomerium "github.com/pomerium-jwt/pomerium-go"
)

var exitCodes = map[pomerium.Kind]int{
	pomerium.KindToken: 1, pomerium.KindAccess: 1, pomerium.KindOptions: 2, pomerium.KindKeys: 3, pomerium.KindInternal: 70,
}

func main() {
	identity, err := verify()
	var refused *pomerium.Error
	switch {
	case errors.As(err, &refused):
		fmt.Fprintln(os.Stderr, refused)
		os.Exit(exitCodes[refused.Kind])
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(70)
	}
	fmt.Println(identity.Subject, cmp.Or(identity.Email, "-"))
}

func verify() (*pomerium.Identity, error) {
	verifier, err := pomerium.FromEnv()
	if err != nil {
		return nil, err
	}
	token, err := io.ReadAll(os.Stdin)
	if err != nil {
		return nil, err
	}
	return verifier.Verify(context.Background(), strings.TrimRight(string(token), "\r\n"))
}
