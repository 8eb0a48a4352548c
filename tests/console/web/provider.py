"""A small OpenID provider with keys of its own, for tests; it can be told to misbehave."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

CLIENT_ID, CLIENT_SECRET = "the-console", "a secret of the client"
Signing = Callable[["Provider", dict[str, Any]], str]


class Provider:
    """Its codes, its keys, and what it says of the person."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.keys = {"k1": new_key()}
        self.kid = "k1"
        self.codes: dict[str, dict[str, str]] = {}
        self.claims: dict[str, Any] = {"sub": f"maria of {issuer}", "groups": ["staff"]}
        self.given = 0
        self.sign: Signing = signed
        self.keys_asked = 0
        self.silent_about = ""

    def authorize(self, address: str) -> dict[str, str]:
        """What the browser brings back from the page to which it was sent."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["response_type"] == "code"
        assert (asked["client_id"], asked["code_challenge_method"]) == (CLIENT_ID, "S256")
        self.given += 1
        code = f"code-{self.given}"
        self.codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def token(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """The answer for a code, which counts once; None for a wrong request."""
        asked = self.codes.pop(form.get("code", ""), None)
        if asked is None or asked["redirect_uri"] != form["redirect_uri"]:
            return None
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if urlsafe_b64encode(digest).decode().rstrip("=") != asked["code_challenge"]:
            return None
        told = b64decode(authorization.removeprefix("Basic ")).decode()
        if told != f"{CLIENT_ID}:{CLIENT_SECRET}":
            return None
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            **self.claims,
        }
        return {"token_type": "Bearer", "id_token": self.sign(self, claims)}

    def jwks(self) -> dict[str, Any]:
        """Its public keys."""
        self.keys_asked += 1
        return {
            "keys": [
                {**json.loads(RSAAlgorithm.to_jwk(key.public_key())), "kid": kid, "use": "sig"}
                for kid, key in self.keys.items()
            ]
        }


def new_key() -> RSAPrivateKey:
    """A key of 2,048 bits."""
    return generate_private_key(public_exponent=65_537, key_size=2_048)


def signed(provider: Provider, claims: dict[str, Any]) -> str:
    """As it should be."""
    head = {"kid": provider.kid}
    return jwt.encode(claims, provider.keys[provider.kid], algorithm="RS256", headers=head)


@contextmanager
def provider_served() -> Iterator[Provider]:
    """At a free port of the loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    provider = Provider(f"http://127.0.0.1:{server.server_port}")
    server.provider = provider  # type: ignore[attr-defined]  # the handler's way to it
    running = threading.Thread(target=server.serve_forever)
    running.start()
    try:
        yield provider
    finally:
        server.shutdown()
        running.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        provider: Provider = self.server.provider  # type: ignore[attr-defined]  # set above
        if self.path == "/.well-known/openid-configuration":
            told = {
                "issuer": provider.issuer,
                "authorization_endpoint": f"{provider.issuer}/authorize",
                "token_endpoint": f"{provider.issuer}/token",
                "jwks_uri": f"{provider.issuer}/keys",
            }
            told.pop(provider.silent_about, None)
            self._answer(told)
        elif self.path == "/keys":
            self._answer(provider.jwks())

    def do_POST(self) -> None:
        provider: Provider = self.server.provider  # type: ignore[attr-defined]  # set above
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        self._answer(provider.token(form, self.headers.get("Authorization", "")))

    def _answer(self, told: dict[str, Any] | None) -> None:
        self.send_response(400 if told is None else 200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(told or {"error": "invalid_grant"}).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002, the base's name
        """Nothing is printed."""
