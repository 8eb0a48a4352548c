"""A Kafka client's .properties file, by the names of Java's client and of librdkafka.

Of what is about security, each key is taken or refused by name; what else such a file says is
about clients that are not ours: it is left alone, and a warning names it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from console.running.secret_files import check_private
from console.terminal.errors import BadInput

SETTING = "REFUNDS_KAFKA_PROPERTIES"

_PROTOCOL, _USER = "security.protocol", "sasl.username"
_MECHANISM = ("sasl.mechanism", "sasl.mechanisms")
_SECRETS = {
    "sasl.password": "password",
    "ssl.key.password": "key_password",
}
_PATHS = {
    "ssl.ca.location": "ca_file",
    "ssl.truststore.location": "ca_file",
    "ssl.certificate.location": "certificate_file",
    "ssl.keystore.location": "certificate_file",
    "ssl.key.location": "key_file",
}
_STORE_TYPES = ("ssl.truststore.type", "ssl.keystore.type")
_JAAS, _TOKEN, _HANDLER = (
    "sasl.jaas.config",
    "sasl.oauthbearer.token.endpoint.url",
    "sasl.login.callback.handler.class",
)
_HOSTNAME, _VERIFICATION = (
    "ssl.endpoint.identification.algorithm",
    "enable.ssl.certificate.verification",
)
_OF_SECURITY = ("security.", "sasl.", "ssl.", "enable.ssl.", "enable.sasl.", "oauthbearer.")
_OPTION = re.compile(r"""(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^\s;]+))""")
_ESCAPED = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}

log = logging.getLogger(__name__)


def read_properties(path: Path) -> dict[str, Any]:
    """The fields of `KafkaSecurity` that the file sets, the protocol and mechanism as text.

    BadInput names the key; no message has a value of a key that may hold a secret.
    """
    check_private(SETTING, path)
    try:
        lines = dict(_assignments(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise BadInput(f"{SETTING} {path}: {reason}; name a .properties file") from None
    others = sorted(key for key in lines if not key.startswith(_OF_SECURITY))
    if others:
        log.warning(
            "%s %s: %s not about security, and left alone", SETTING, path, ", ".join(others)
        )
    found: dict[str, Any] = {}
    for key, text in lines.items():
        if key not in others:
            found |= _taken(path, key, text, lines)
    return found


def _taken(path: Path, key: str, text: str, lines: dict[str, str]) -> dict[str, Any]:
    """What one key sets."""
    from ledger.log.kafka.client.security import Mechanism, Protocol

    if key == _PROTOCOL:
        return {"protocol": _one_of(path, key, text, tuple(Protocol))}
    if key in _MECHANISM:
        return {"mechanism": _one_of(path, key, text, tuple(Mechanism))}
    if key == _USER:
        return {"user": text}
    if key in _SECRETS:
        return {_SECRETS[key]: SecretStr(text)}
    if key in _PATHS:
        return {_PATHS[key]: _pem_file(path, key, text, lines)}
    if key == _JAAS:
        return _from_jaas(path, text)
    if key == _TOKEN and urlsplit(text).scheme == "file":
        return {"token_file": Path(urlsplit(text).path)}
    if key == _HOSTNAME:
        return _hostname_check(path, text)
    if key in (_HANDLER, *_STORE_TYPES) or (key == _VERIFICATION and text.lower() == "true"):
        return {}
    raise BadInput(f"{SETTING} {path}: {key} {_WHY.get(key, _UNKNOWN)}")


_UNKNOWN = "is not known here; remove it, or set the same by a name that is: see the how-to page"
_WHY = {
    _VERIFICATION: "may not be switched off; set ssl.ca.location to the brokers' authority",
    _TOKEN: "is not asked here; have the token written to a file and name it by a file: URL",
}


def _one_of(path: Path, key: str, text: str, known: tuple[str, ...]) -> str:
    """Checked here, where the file can be named."""
    wanted = text.strip().upper()
    if wanted not in known:
        raise BadInput(f"{SETTING} {path}: {key} is {text!r}; set it to one of {', '.join(known)}")
    return wanted


def _pem_file(path: Path, key: str, text: str, lines: dict[str, str]) -> Path:
    """Java's stores are read where their type is PEM."""
    kind = f"{key.removesuffix('.location')}.type"
    if kind in _STORE_TYPES and lines.get(kind, "JKS").upper() != "PEM":
        raise BadInput(
            f"{SETTING} {path}: {kind} is not PEM; write the store as PEM "
            f"('openssl pkcs12 -in STORE -nodes', for a JKS after 'keytool -importkeystore "
            f"-deststoretype pkcs12'), and set {kind} to PEM"
        )
    return Path(text.strip())


def _from_jaas(path: Path, text: str) -> dict[str, Any]:
    """User and password of a login module's line."""
    module, _, options = text.strip().partition(" ")
    if not module.endswith(("PlainLoginModule", "ScramLoginModule", "OAuthBearerLoginModule")):
        # Anything else than the name of a class may be a secret in the wrong place.
        named = repr(module) if re.fullmatch(r"[\w.]+LoginModule", module) else "no login module"
        raise BadInput(
            f"{SETTING} {path}: {_JAAS} names {named}; Plain-, Scram- and OAuthBearerLoginModule "
            "are known"
        )
    found = {
        name: _unescaped(double or single or bare)
        for name, double, single, bare in _OPTION.findall(options)
    }
    known: dict[str, Any] = {"user": found.get("username")}
    if "password" in found:
        known["password"] = SecretStr(found["password"])
    return {name: value for name, value in known.items() if value is not None}


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _hostname_check(path: Path, text: str) -> dict[str, Any]:
    if text.strip().lower() not in ("https", "none", ""):
        raise BadInput(f"{SETTING} {path}: {_HOSTNAME} is {text!r}; set it to https")
    return {"check_hostname": text.strip().lower() == "https"}


def _assignments(text: str) -> Iterator[tuple[str, str]]:
    """Keys and values as java.util.Properties reads them: \\ goes on, # and ! are comments."""
    for line in _whole_lines(text):
        match = re.match(r"((?:[^\\=:\s]|\\.)+)[ \t\f]*[=:]?[ \t\f]*(.*)", line, re.DOTALL)
        if match:
            yield _plain(match[1]), _plain(match[2])


def _whole_lines(text: str) -> Iterator[str]:
    kept = ""
    for line in text.splitlines():
        begun = line.lstrip(" \t\f")
        if not kept and begun[:1] in ("", "#", "!"):
            continue
        if (len(begun) - len(begun.rstrip("\\"))) % 2:
            kept += begun[:-1]
            continue
        yield kept + begun
        kept = ""
    if kept:
        yield kept


def _plain(text: str) -> str:
    return re.sub(
        r"\\(?:u([0-9a-fA-F]{4})|(.))",
        lambda at: chr(int(at[1], 16)) if at[1] else _ESCAPED.get(at[2], at[2]),
        text,
    )
