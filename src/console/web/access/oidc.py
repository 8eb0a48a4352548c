"""Sign-in by an OpenID provider: authorization code with PKCE, and an ID token that is checked.

Checked of the token: its signature by a key of the provider (RS256 alone), issuer, audience and
authorized party, its end and its beginning, and the nonce of this very sign-in.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import urlencode, urlsplit

import jwt
import requests
from msgspec import Struct
from psycopg import Connection
from pydantic import SecretStr

from console.running.secret_files import read_secret
from console.running.settings import Settings
from console.terminal.errors import BadInput
from console.web.access.ended_rows import delete_ended_sign_ins
from console.web.access.own_site import LOOPBACK_HOSTS
from console.web.problems import Problem

ALGORITHM, LEEWAY_SECONDS, TIMEOUT_SECONDS, WAITS_SECONDS = "RS256", 30, 5, 600
_ADDRESSES = ("authorization_endpoint", "jwks_uri", "token_endpoint")
_REQUIRED = ["exp", "iat", "iss", "aud", "sub", "nonce"]


class Provider(Struct, frozen=True, kw_only=True):
    """Who signs people in for us, and as whom: the claims, and value → principals of the matrix."""

    issuer: str
    client_id: str
    client_secret: SecretStr | None
    name_claim: str
    roles_claim: str
    roles: Mapping[str, Sequence[str]]


class SignIn(Struct, frozen=True, kw_only=True):
    """A sign-in that the provider has yet to answer."""

    state: str
    nonce: str
    verifier: str
    next: str


class Told(Struct, frozen=True, kw_only=True):
    """What the provider says of a person."""

    issuer: str
    subject: str
    name: str
    principals: tuple[str, ...]


def provider_of(settings: Settings) -> Provider | None:
    """That of the settings; None if there is none. BadInput for half of one."""
    issuer, client_id = settings.oidc_issuer, settings.oidc_client_id
    if issuer is None and client_id is None:
        return None
    if issuer is None or client_id is None or not settings.oidc_roles:
        raise BadInput("REFUNDS_OIDC_ISSUER, _CLIENT_ID and _ROLES belong together; set all three")
    parts = urlsplit(issuer)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK_HOSTS:
        raise BadInput(f"REFUNDS_OIDC_ISSUER {issuer}: what it says is not secret without https")
    file = settings.oidc_client_secret_file
    return Provider(
        issuer=issuer,
        client_id=client_id,
        client_secret=None
        if file is None
        else read_secret("REFUNDS_OIDC_CLIENT_SECRET_FILE", file),
        name_claim=settings.oidc_name_claim,
        roles_claim=settings.oidc_roles_claim,
        roles=settings.oidc_roles,
    )


class Oidc:
    """Asks one provider. Its addresses are read once, its keys again when one is unknown."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self._lock = threading.Lock()
        self._addresses: dict[str, Any] | None = None
        self._keys: dict[str, jwt.PyJWK] = {}

    def begin(
        self,
        connections: Callable[[], AbstractContextManager[Connection[Any]]],
        redirect_uri: str,
        path: str,
    ) -> tuple[str, str]:
        """Where to send the browser, and the secret by which it is known again.

        No connection is held while the provider is asked.
        """
        there = self._address("authorization_endpoint")
        browser, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        state, nonce = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        with connections() as connection:
            delete_ended_sign_ins(connection)
            connection.execute(
                "INSERT INTO web.sign_ins (browser_digest, state, nonce, verifier, next, ends_at)"
                " VALUES (%s, %s, %s, %s, %s, now() + make_interval(secs => %s))",
                (_digest(browser), state, nonce, verifier, path, WAITS_SECONDS),
            )
        challenge = urlsafe_b64encode(_digest(verifier)).decode().rstrip("=")
        asked = {
            "response_type": "code",
            "client_id": self.provider.client_id,
            "redirect_uri": redirect_uri,
            "scope": "openid profile email",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{there}{'&' if '?' in there else '?'}{urlencode(asked)}", browser

    def finish(self, begun: SignIn, code: str, redirect_uri: str) -> Told:
        """Whom the provider names for a code. Problem 403 for a token that is not as it must be."""
        try:
            claims = self._claims(self._id_token(begun, code, redirect_uri))
        except jwt.PyJWTError as error:
            raise _refused(str(error)) from error
        nonce = str(claims["nonce"]).encode("utf-8", "replace")
        if not secrets.compare_digest(nonce, begun.nonce.encode()):
            raise _refused("its token is of another sign-in")
        return self._told(claims)

    def _id_token(self, begun: SignIn, code: str, redirect_uri: str) -> str:
        provider = self.provider
        asked = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": provider.client_id,
            "code_verifier": begun.verifier,
        }
        secret = provider.client_secret
        basic = None if secret is None else (provider.client_id, secret.get_secret_value())
        answer = _asked("POST", self._address("token_endpoint"), data=asked, auth=basic)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise _refused("its answer has no ID token")
        return token

    def _claims(self, token: str) -> dict[str, Any]:
        head = jwt.get_unverified_header(token)
        if head.get("alg") != ALGORITHM:
            raise _refused(f"its token is signed by {head.get('alg')!r}, not {ALGORITHM}")
        claims: dict[str, Any] = jwt.decode(
            token,
            self._key(str(head.get("kid", ""))),
            algorithms=[ALGORITHM],
            audience=self.provider.client_id,
            issuer=self.provider.issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": _REQUIRED},
        )
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        party = claims.get("azp")
        if (several or party is not None) and party != self.provider.client_id:
            raise _refused("its token is for another program")
        return claims

    def _told(self, claims: Mapping[str, Any]) -> Told:
        name, provider = claims.get(self.provider.name_claim), self.provider
        if not isinstance(name, str) or not name or not name.isprintable():
            raise _refused(f"its token has no {provider.name_claim}")
        told = claims.get(provider.roles_claim, [])
        values = [told] if isinstance(told, str) else told if isinstance(told, list) else []
        principals = {role for each in values for role in provider.roles.get(str(each), ())}
        if not principals:
            raise Problem(403, "Not allowed", f"{name} has no role here; ask an operator for one")
        return Told(
            issuer=provider.issuer,
            subject=str(claims["sub"]),
            name=name,
            principals=tuple(sorted(principals)),
        )

    def _key(self, kid: str) -> jwt.PyJWK:
        with self._lock:
            if kid not in self._keys:
                found = _asked("GET", self._address("jwks_uri"))
                self._keys = {
                    each.key_id or "": each
                    for each in jwt.PyJWKSet.from_dict(found).keys
                    if each.key_type == "RSA"
                }
            if kid not in self._keys:
                raise _refused(f"it has no key {kid[:60]!r}")
            return self._keys[kid]

    def _address(self, name: str) -> str:
        if self._addresses is None:
            where = f"{self.provider.issuer.rstrip('/')}/.well-known/openid-configuration"
            found = _asked("GET", where)
            if found.get("issuer") != self.provider.issuer:
                raise _refused(f"it says that it is {str(found.get('issuer'))[:100]!r}")
            if missing := [each for each in _ADDRESSES if not isinstance(found.get(each), str)]:
                raise _refused(f"it does not say its {' and '.join(missing)}")
            self._addresses = found
        return str(self._addresses[name])


def begun_by(connection: Connection[Any], browser: str, state: str) -> SignIn:
    """The sign-in that a browser began, which counts once. Problem 403 for another one."""
    row = connection.execute(
        "DELETE FROM web.sign_ins WHERE browser_digest = %s AND ends_at > now()"
        " RETURNING state, nonce, verifier, next",
        (_digest(browser),),
    ).fetchone()
    if row is None or not secrets.compare_digest(row[0].encode(), state.encode()):
        raise _refused("this browser did not begin it, or long ago")
    return SignIn(state=row[0], nonce=row[1], verifier=row[2], next=row[3])


def known_person(connection: Connection[Any], told: Told) -> str:
    """The person under whose name the session is, made or brought up to date. Problem 403 for a
    name that is somebody else's, and for a person who has ended.
    """
    connection.execute(
        "INSERT INTO web.people (name, principals, issuer, subject) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        (told.name, list(told.principals), told.issuer, told.subject),
    )
    done = connection.execute(
        "UPDATE web.people SET principals = %s"
        " WHERE name = %s AND issuer = %s AND subject = %s AND ended_at IS NULL",
        (list(told.principals), told.name, told.issuer, told.subject),
    )
    if done.rowcount != 1:
        raise Problem(
            403, "Not allowed", f"{told.name} may not sign in so; another has the name, or it ended"
        )
    return told.name


def _asked(method: str, url: str, **more: Any) -> dict[str, Any]:
    try:
        answer = requests.request(
            method, url, timeout=TIMEOUT_SECONDS, allow_redirects=False, **more
        )
        found = answer.json()
    except (requests.RequestException, ValueError) as error:
        raise Problem(
            503, "Not available", "who signs people in does not answer; try again in a moment"
        ) from error
    if answer.status_code != 200 or not isinstance(found, dict):
        raise _refused(f"it answers with {answer.status_code}")
    return found


def _refused(why: str) -> Problem:
    return Problem(403, "Not allowed", f"the sign-in does not count: {why}; begin again at /signin")


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
