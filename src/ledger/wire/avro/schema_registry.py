"""A client of a schema registry over HTTP: registers our schemas, and finds schemas by id.

Subjects are named by Confluent's TopicRecordName: `<topic>-<full name of the record>`. A schema
from the registry is never used to read: if its fingerprint is one of ours, our schema is used;
otherwise the record is not ours.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import requests
from pydantic import SecretStr

from ledger.log.seam import Topic
from ledger.vocabulary.commands import COMMANDS
from ledger.vocabulary.events import EVENTS
from ledger.wire.avro.codec import fingerprint_of_text
from ledger.wire.avro.framing import RegistryUnavailable
from ledger.wire.avro.schema_files import Family, schema_file, schema_root, versions_of

TIMEOUT_SECONDS = (5, 15)
"""Timeouts to connect, and to wait for an answer."""

MAX_REMEMBERED = 10_000
"""The number of ids of others that are cached; then they are requested again."""

_TOPICS = {Family.COMMANDS: Topic.COMMANDS, Family.EVENTS: Topic.EVENTS}
_MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"


def subject_of(family: Family, name: str) -> str:
    """`refunds.events.v1-refunds.events.RefundIssued`."""
    return f"{_TOPICS[family]}-refunds.{family}.{name}"


class SchemaRegistry:
    """A client of one registry. RegistryUnavailable says what failed and what to do."""

    def __init__(
        self,
        url: str,
        *,
        user: str | None = None,
        password: SecretStr | None = None,
        ca_file: Path | None = None,
    ) -> None:
        self._url = url.rstrip("/")
        self._user = user
        self._ca_file = ca_file
        self._session = requests.Session()
        if user is not None:
            self._session.auth = (user, password.get_secret_value() if password else "")
        self._session.headers["Accept"] = _MEDIA_TYPE
        self._ids: dict[tuple[Family, str, int], int] = {}
        self._fingerprints: dict[int, bytes | None] = {}

    def register_all(self) -> None:
        """Register every version of every schema of ours; existing ones do not change."""
        root = schema_root()
        for family, names in ((Family.COMMANDS, [*COMMANDS]), (Family.EVENTS, [*EVENTS])):
            for name in names:
                for version in versions_of(root, family, name):
                    self.id_of(family, name, version)

    def id_of(self, family: Family, name: str, version: int) -> int:
        """The id of this schema of ours; registers it if it is not registered yet."""
        key = (family, name, version)
        if key not in self._ids:
            text = schema_file(schema_root(), family, name, version).read_text("utf-8")
            subject = subject_of(family, name)
            answer = self._asked("POST", f"/subjects/{subject}/versions", {"schema": text})
            schema_id = answer.get("id")
            if not isinstance(schema_id, int) or not 0 <= schema_id < 1 << 32:
                raise self._failure(f"it gave subject {subject} the id {schema_id!r}")
            self._ids[key] = schema_id
            self._fingerprints[schema_id] = fingerprint_of_text(text)
        return self._ids[key]

    def fingerprint_of(self, schema_id: int) -> bytes | None:
        """The fingerprint of the schema with this id; None if there is none or it is not Avro."""
        if schema_id not in self._fingerprints:
            answer = self._asked("GET", f"/schemas/ids/{schema_id}")
            text, kind = answer.get("schema"), answer.get("schemaType", "AVRO")
            if len(self._fingerprints) >= MAX_REMEMBERED:
                self._fingerprints.clear()
            known = fingerprint_of_text(text) if isinstance(text, str) and kind == "AVRO" else None
            self._fingerprints[schema_id] = known
        return self._fingerprints[schema_id]

    def _asked(self, method: str, path: str, body: dict[str, str] | None = None) -> dict[str, Any]:
        """The JSON object of the answer; empty if the registry does not have it."""
        headers = {"Content-Type": _MEDIA_TYPE} if body else None
        try:
            response = self._session.request(
                method,
                self._url + path,
                json=body,
                headers=headers,
                timeout=TIMEOUT_SECONDS,
                verify=True if self._ca_file is None else str(self._ca_file),
            )
            if response.status_code == requests.codes.unauthorized:
                raise self._failure(f"it refuses {self._who()}; correct SCHEMA_REGISTRY_USER")
            if response.status_code == requests.codes.not_found and method == "GET":
                return {}
            if not response.ok:
                told = response.text[:200].strip()
                raise self._failure(f"{method} {path} gave HTTP {response.status_code} {told}")
            answer = response.json()
        except requests.JSONDecodeError as error:
            raise self._failure(f"{method} {path} gave no JSON") from error
        except requests.exceptions.SSLError as error:
            raise self._failure(f"its certificate is not accepted ({self._authority()})") from error
        except requests.RequestException as error:
            raise self._failure(type(error).__name__) from error
        except OSError as error:
            raise self._failure(f"{self._authority()} and cannot be read") from error
        if not isinstance(answer, dict):
            raise self._failure(f"{method} {path} gave {type(answer).__name__}, not an object")
        return answer

    def _who(self) -> str:
        return "a client without a user" if self._user is None else f"user {self._user!r}"

    def _authority(self) -> str:
        return f"SCHEMA_REGISTRY_CA_FILE is {self._ca_file or 'not set'}"

    def _failure(self, what: str) -> RegistryUnavailable:
        shown = self._url.rpartition("@")[2]  # without a user and password
        return RegistryUnavailable(
            f"the schema registry at {shown!r} failed: {what}; start it, correct "
            "SCHEMA_REGISTRY_URL, or unset it to write fingerprints instead of ids"
        )
