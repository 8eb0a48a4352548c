"""Finds out, step by step, why a broker refuses us, because the client itself only tries again.

An error names the thing, its value and the next step, but never a secret.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kafka import errors
from kafka.net.sasl import get_sasl_mechanism
from kafka.protocol.metadata import ApiVersionsRequest, MetadataRequest
from kafka.protocol.parser import KafkaProtocol
from kafka.protocol.sasl import SaslAuthenticateRequest, SaslHandshakeRequest

from ledger.log.kafka.client.security import (
    PREFIX,
    KafkaSecurity,
    Mechanism,
    Protocol,
    sasl_options,
    tls_context,
)

_MAX_ROUNDS = 4
_EXPIRED, _NOT_YET_VALID, _OTHER_HOST, _OTHER_ADDRESS = 10, 9, 62, 64
"""OpenSSL's error numbers for certificates."""
_NOT_UNDERSTOOD = (ConnectionError, ssl.SSLError, errors.KafkaProtocolError)


class AccessRefused(Exception):
    """A broker answers but refuses us; the message says why, and what to do."""


class _OtherProtocol(Exception):
    """The broker answered that it uses another protocol than we do."""


def check_access(security: KafkaSecurity, host: str, port: int, seconds: float) -> None:
    """Connect to that address like a client, and close the connection again.

    Raises AccessRefused; OSError if there is no answer; BadSecurity for files that cannot be used.

    1. TCP. 2. TLS, if the protocol has it. 3. The API versions. 4. SASL, if the protocol has it.
    5. A request that only accepted clients may send. A broker that closes the connection may be
    stopping, or use another protocol: this is checked before an error is raised.
    """
    where = f"the broker at {host}:{port}"
    try:
        with _connected(security.protocol, host, port, seconds, security) as talk:
            talk.ask(ApiVersionsRequest(version=0))
            if security.mechanism is not None:
                _authenticate(talk, security, security.mechanism, where, host)
            talk.ask(MetadataRequest(version=1, topics=[]))
    except ssl.SSLCertVerificationError as error:
        raise _certificate_not_accepted(where, security.ca_file, error) from error
    except (*_NOT_UNDERSTOOD, _OtherProtocol) as error:
        spoken = _spoken(host, port, seconds)
        if spoken is not None and spoken is not security.protocol:
            raise _speaks_another(where, spoken, security.protocol) from error
        if isinstance(error, ssl.SSLError) and "ALERT" in (error.reason or ""):
            raise _certificate_refused(where, security.certificate_file, error) from error
        raise ConnectionError(f"{where} closed the connection: {error!r}") from error


def certificate_shown(security: KafkaSecurity, host: str, port: int, seconds: float) -> bytes:
    """The certificate of the broker at that address, in DER, whether it is accepted or not.

    Raises OSError. No secret is sent.
    """
    context = _unverified()
    if security.certificate_file is not None:
        context = tls_context(security)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection((host, port), timeout=seconds) as plain,
        context.wrap_socket(plain, server_hostname=host.rstrip(".")) as secured,
    ):
        return secured.getpeercert(binary_form=True) or b""


class _Conversation:
    """Requests and responses over a socket, one at a time."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._parser = KafkaProtocol(client_id="refundctl")

    def ask(self, question: Any) -> Any:
        """The response. ConnectionError if the broker closes, OSError if it does not answer."""
        self._parser.send_request(question)
        self._socket.sendall(self._parser.send_bytes())
        while True:
            data = self._socket.recv(65_536)
            if not data:
                raise ConnectionError("no answer")
            answers = self._parser.receive_bytes(data)
            if answers:
                return answers[0][1]


@contextmanager
def _connected(
    protocol: Protocol, host: str, port: int, seconds: float, security: KafkaSecurity | None
) -> Iterator[_Conversation]:
    """A connection, with TLS if the protocol has it; it verifies nothing without `security`."""
    with socket.create_connection((host, port), timeout=seconds) as plain:
        if not protocol.has_tls:
            yield _Conversation(plain)
            return
        context = _unverified() if security is None else tls_context(security)
        with context.wrap_socket(plain, server_hostname=host.rstrip(".")) as secured:
            yield _Conversation(secured)


def _unverified() -> ssl.SSLContext:
    """Only to find out whether the broker uses TLS: no secret is sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _spoken(host: str, port: int, seconds: float) -> Protocol | None:
    """The protocol at that address; None if it cannot be found out."""
    pairs = ((Protocol.SSL, Protocol.SASL_SSL), (Protocol.PLAINTEXT, Protocol.SASL_PLAINTEXT))
    for plain, asking in pairs:
        try:
            with _connected(plain, host, port, seconds, None) as talk:
                answer = talk.ask(SaslHandshakeRequest(Mechanism.PLAIN.value, version=1))
        except (*_NOT_UNDERSTOOD, OSError):
            continue
        return plain if _asks_nobody(answer) else asking
    return None


def _asks_nobody(answer: Any) -> bool:
    return errors.for_code(answer.error_code) is errors.IllegalSaslStateError


def _speaks_another(where: str, spoken: Protocol, ours: Protocol) -> AccessRefused:
    more = f", and {PREFIX}SASL_MECHANISM and the user too" if spoken.has_sasl else ""
    return AccessRefused(
        f"{where} speaks {spoken}, and {PREFIX}SECURITY is {ours}; set it to {spoken}"
        f"{more if not ours.has_sasl else ''}, or name another port in KAFKA_BOOTSTRAP"
    )


def _certificate_not_accepted(
    where: str, ca_file: Path | None, error: ssl.SSLCertVerificationError
) -> AccessRefused:
    now = f"it is {ca_file}" if ca_file else "it is not set, so this machine's authorities are used"
    steps = {
        _EXPIRED: "give the broker a new one (or set this machine's clock)",
        _NOT_YET_VALID: "set this machine's clock",
        _OTHER_HOST: "use the broker's name from its certificate in KAFKA_BOOTSTRAP",
        _OTHER_ADDRESS: "use the broker's name from its certificate in KAFKA_BOOTSTRAP",
    }
    authority = f"set {PREFIX}CA_FILE to the certificate of the authority that signed it ({now})"
    return AccessRefused(
        f"{where} shows a certificate that is not accepted: {error.verify_message}; "
        + steps.get(error.verify_code, authority)
    )


def _certificate_refused(where: str, ours: Path | None, error: ssl.SSLError) -> AccessRefused:
    """With TLS 1.3 this error comes as the first response, after the client's handshake."""
    told = str(error.reason).rpartition("ALERT_")[2].replace("_", " ").lower()
    shown = f"our certificate {ours}" if ours else "a client without a certificate"
    return AccessRefused(
        f"{where} refuses {shown} ({told}); set {PREFIX}CERTIFICATE_FILE and {PREFIX}KEY_FILE to "
        "one that its authority signed and that has not expired"
    )


def _authenticate(
    talk: _Conversation, security: KafkaSecurity, mechanism: Mechanism, where: str, host: str
) -> None:
    _agree_on_mechanism(talk, mechanism, where)
    exchange = get_sasl_mechanism(mechanism.value)(host=host, **sasl_options(security))
    for _ in range(_MAX_ROUNDS):
        if exchange.is_done():
            return
        answer = talk.ask(SaslAuthenticateRequest(exchange.auth_bytes(), version=0))
        if errors.for_code(answer.error_code) is not errors.NoError:
            raise _not_recognised(security, where, answer.error_message or "no reason is given")
        try:
            exchange.receive(answer.auth_bytes)
        except ValueError as error:
            # SCRAM: the broker must prove that it knows the password too.
            raise _not_recognised(security, where, str(error)) from error
    raise _not_recognised(security, where, "it takes too many rounds")


def _agree_on_mechanism(talk: _Conversation, mechanism: Mechanism, where: str) -> None:
    answer = talk.ask(SaslHandshakeRequest(mechanism.value, version=1))
    error = errors.for_code(answer.error_code)
    if error is errors.NoError:
        return
    if error is errors.UnsupportedSaslMechanismError:
        raise AccessRefused(
            f"{where} does not take {mechanism}; set {PREFIX}SASL_MECHANISM to one that it takes: "
            f"{', '.join(sorted(answer.mechanisms))}"
        )
    raise _OtherProtocol(error.__name__)


def _not_recognised(security: KafkaSecurity, where: str, why: str) -> AccessRefused:
    if security.token_file is not None:
        return AccessRefused(
            f"{where} refuses the token in {security.token_file}: {why}; write a valid one there"
        )
    return AccessRefused(
        f"{where} refuses user {security.user!r} by {security.mechanism}: {why}; correct "
        f"{PREFIX}USER or the password"
    )
