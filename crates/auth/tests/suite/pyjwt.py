"""Verifies access tokens with PyJWT, knowing nothing but the issuer and the audience.

Arguments: issuer, audience, tokens. Prints the algorithm, subject and session of each token.
"""

import json
import sys
import urllib.request

import jwt

issuer, audience, *tokens = sys.argv[1:]
with urllib.request.urlopen(f"{issuer}/.well-known/oauth-authorization-server") as answer:
    metadata = json.load(answer)
assert metadata["issuer"] == issuer, metadata
keys = jwt.PyJWKClient(metadata["jwks_uri"])


def verify(token):
    key = keys.get_signing_key_from_jwt(token)
    claims = jwt.decode(
        token,
        key,
        algorithms=[key.algorithm_name],
        audience=audience,
        issuer=issuer,
        options={"require": ["exp", "iat", "nbf", "iss", "aud", "sub", "jti"]},
    )
    return key.algorithm_name, claims


for token in tokens:
    algorithm, claims = verify(token)
    print(algorithm, claims["sub"], claims["sid"])
    # It does look at the signature.
    message, _, signature = token.rpartition(".")
    other = "B" if signature[9] == "A" else "A"
    try:
        verify(f"{message}.{signature[:9]}{other}{signature[10:]}")
        sys.exit("an altered token was accepted")
    except jwt.InvalidSignatureError:
        pass
