"""Reads a token from standard input and says who is calling. The environment says what to check:
POMERIUM_JWT_ROUTE=https://app.example.com python verify.py < token
"""

import sys

from pomerium_jwt import Verifier, VerifyError

EXIT_CODES = {"token": 1, "access": 1, "options": 2, "keys": 3, "internal": 70}

try:
    identity = Verifier.from_env().verify(sys.stdin.read().rstrip())
    print(identity.subject, identity.email or "-")
except VerifyError as error:
    print(error, file=sys.stderr)
    sys.exit(EXIT_CODES[error.kind])
