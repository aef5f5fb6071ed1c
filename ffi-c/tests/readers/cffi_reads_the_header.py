#!/usr/bin/python3
"""Python's cffi reads the header's text and verifies a token: cffi_reads_the_header.py HEADER LIBRARY GENUINE_JSON"""

import json
import re
import sys

import cffi

header, library, genuine = sys.argv[1:]
with open(header) as file:
    text = file.read()
# cffi takes neither preprocessor lines nor a linkage block: both go, the block's closing brace too
text = re.sub(r"^#ifdef __cplusplus$.*?^#endif.*?$", "", text, flags=re.MULTILINE | re.DOTALL)
text = re.sub(r"^#.*$", "", text, flags=re.MULTILINE)
ffi = cffi.FFI()
ffi.cdef(text)
lib = ffi.dlopen(library)
assert lib.pomerium_jwt_abi_version() == 1
assert lib.POMERIUM_JWT_TOKEN_MISSING == 100


def text_of(pointer):
    """The text of a pointer of ours, which is freed."""
    found = None if pointer == ffi.NULL else ffi.string(pointer).decode()
    lib.pomerium_jwt_string_free(pointer)
    return found


with open(genuine) as file:
    case = json.load(file)[0]
options, token = json.dumps(case["options"]).encode(), case["token"].encode()
verifier, output, claims = ffi.new("pomerium_jwt_verifier **"), ffi.new("char **"), ffi.new("char **")
code = lib.pomerium_jwt_verifier_new(options, len(options), verifier, output)
assert code == 0, text_of(output[0])
code = lib.pomerium_jwt_verify_at(verifier[0], token, len(token), case["now"], output, claims)
assert code == 0, text_of(output[0])
subject = text_of(lib.pomerium_jwt_get(output[0], b"subject"))
assert subject == case["expect"]["identity"]["subject"], subject
assert json.loads(text_of(output[0])) == case["expect"]["identity"]
assert json.loads(text_of(claims[0])) == case["expect"]["claims"]

assert lib.pomerium_jwt_verify(verifier[0], b"", 0, output, claims) == lib.POMERIUM_JWT_TOKEN_MISSING
assert text_of(output[0]) and claims[0] == ffi.NULL
assert ffi.string(lib.pomerium_jwt_code_name(100)) == b"token_missing"
lib.pomerium_jwt_verifier_free(verifier[0])
