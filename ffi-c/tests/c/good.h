/* A key and a token that Pomerium v0.33.1 made: "typical-user" of conformance/genuine.json. */
#ifndef GOOD_H
#define GOOD_H

#define GOOD_KEYS \
    "{\"keys\":[{\"use\":\"sig\",\"kty\":\"EC\",\"crv\":\"P-256\",\"alg\":\"ES256\"," \
    "\"kid\":\"edc2b996c272eec173bbb96c04a0b5afd15b93f2b903edbbee7da669c137f7f4\"," \
    "\"x\":\"7JcoQ3me3PPmplRbE9Uc1n6LrS5SlzWVYncqD0YxUdE\",\"y\":\"vMG90llgMHpz1oUO7YaLzGCUy1MHJK8-fBrl1fUp5_8\"}]}"

/* Accept the token at GOOD_TIME. */
#define GOOD_OPTIONS "{\"issuer\":\"app.example.com\",\"audience\":\"app.example.com\",\"jwks\":" GOOD_KEYS "}"
#define GOOD_TIME 1795354147

#define GOOD_TOKEN \
    "eyJhbGciOiJFUzI1NiIsImtpZCI6ImVkYzJiOTk2YzI3MmVlYzE3M2JiYjk2YzA0YTBiNWFmZDE1YjkzZjJiOTAzZWRiYmVlN2RhNjY5YzEz" \
    "N2Y3ZjQiLCJ0eXAiOiJKV1QifQ.eyJhdWQiOiJhcHAuZXhhbXBsZS5jb20iLCJlbWFpbCI6ImFsaWNlQGV4YW1wbGUuY29tIiwiZXhwIjoxN" \
    "zk1MzU0NDM3LCJncm91cHMiOltdLCJpYXQiOjE3OTUzNTQxMzcsImlzcyI6ImFwcC5leGFtcGxlLmNvbSIsImp0aSI6Ijk0ZDBkOGI2LTI4Z" \
    "DItNDgyYy1iNzU1LWZiMGU2YjEzYjFmNSIsIm5hbWUiOiJBbGljZSBFeGFtcGxlIiwic2lkIjoiN2YyYjdlMGMtM2YwZC00ZDJjLTllMGUtM" \
    "GQ1YTNjMWI5YTExIiwic3ViIjoiZ29vZ2xlLW9hdXRoMnwxMDMyNTQ3MTkiLCJ1c2VyIjoiZ29vZ2xlLW9hdXRoMnwxMDMyNTQ3MTkifQ.WJ" \
    "3AJgmqa5Bd2_dyvjYt7PFcZY7iGqRiBinSr_2UzBtH-r2zR5KxIBlpHjK7qb5fy0_VowJsIQ8wYZmV9Xf9WA"

#endif
