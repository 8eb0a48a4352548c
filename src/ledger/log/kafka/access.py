"""The access matrix at the brokers: written as ACLs, and compared with those."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kafka import KafkaAdminClient, errors
from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
)

from ledger.log.access import BROKER_KINDS, EVERYBODY, Differences, Matrix, Right, compared
from ledger.log.kafka.client.connection import ask, open_client
from ledger.log.kafka.client.settings import KafkaSettings, admin_options
from ledger.log.seam import LogUnavailable

_SHARED = ("__", "kafka-cluster")
"""Names that begin so are the cluster's, and have no ledger's prefix."""


def grant(settings: KafkaSettings, matrix: Matrix) -> Differences:
    """Have the brokers allow what the matrix says to its principals, and no more; what changed.

    It takes a principal that may change ACLs. First what is missing is added, then what is too
    much is removed, so that no process is refused in between.
    """
    admin: Any = open_client(KafkaAdminClient, settings, admin_options(settings))
    try:
        found = _found(settings, admin, matrix)
        changed = compared(frozenset(found), _wanted(matrix))
        if changed.missing:
            acls = [_acl(settings, right) for right in changed.missing]
            made = ask(settings, "creating ACLs", lambda: admin.create_acls(acls))
            _check_done("creating ACLs", made["failed"])
        if changed.surplus:
            filters = [_filter(found[right]) for right in changed.surplus]
            removed = ask(settings, "deleting ACLs", lambda: admin.delete_acls(filters))
            _check_done("deleting ACLs", [error for *_, error in removed])
        return changed
    finally:
        admin.close()


def differences(settings: KafkaSettings, matrix: Matrix) -> Differences:
    """What of the brokers' ACLs is not as the matrix says, for its principals and for everybody."""
    admin: Any = open_client(KafkaAdminClient, settings, admin_options(settings))
    try:
        return compared(frozenset(_found(settings, admin, matrix)), _wanted(matrix))
    finally:
        admin.close()


def _wanted(matrix: Matrix) -> frozenset[Right]:
    return frozenset(right for right in matrix.rights if right.kind in BROKER_KINDS)


def _found(settings: KafkaSettings, admin: Any, matrix: Matrix) -> dict[Right, Any]:
    """What the brokers allow our principals, or everybody, to do with what is this ledger's."""
    everything = ACLFilter(
        None,
        None,
        ACLOperation.ANY,
        ACLPermissionType.ALLOW,
        ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY),
    )
    acls, _ = ask(settings, "describing ACLs", lambda: admin.describe_acls(everything))
    rights = {_right(settings, acl): acl for acl in acls if _concerns(settings, acl)}
    ours = (*matrix.principals, EVERYBODY)
    return {right: acl for right, acl in rights.items() if right.principal in ours}


def _concerns(settings: KafkaSettings, acl: Any) -> bool:
    """Several ledgers may share a cluster, each by its prefix."""
    name = acl.resource_pattern.resource_name
    return bool(
        name == "*"
        or name.startswith((*_SHARED, settings.prefix))
        or (_is_prefix(acl) and settings.prefix.startswith(name))
    )


def _acl(settings: KafkaSettings, right: Right) -> Any:
    name = right.name if right.name.startswith(_SHARED) else settings.prefix + right.name
    kind = ACLResourcePatternType.PREFIXED if name.endswith("*") else ACLResourcePatternType.LITERAL
    return ACL(
        f"User:{right.principal}",
        "*",
        ACLOperation[right.operation],
        ACLPermissionType.ALLOW,
        ResourcePattern(ResourceType[right.kind.upper()], name.removesuffix("*"), kind),
    )


def _filter(acl: Any) -> Any:
    """That ACL and no other."""
    pattern = acl.resource_pattern
    exact = ResourcePatternFilter(
        pattern.resource_type, pattern.resource_name, pattern.pattern_type
    )
    return ACLFilter(acl.principal, acl.host, acl.operation, acl.permission_type, exact)


def _right(settings: KafkaSettings, acl: Any) -> Right:
    """An ACL as the matrix names it: without the prefix, and with a * where all names are meant."""
    pattern = acl.resource_pattern
    return Right(
        principal=acl.principal.removeprefix("User:"),
        kind=pattern.resource_type.name.lower(),
        name=pattern.resource_name.removeprefix(settings.prefix) + ("*" if _is_prefix(acl) else ""),
        operation=acl.operation.name,
    )


def _is_prefix(acl: Any) -> bool:
    return bool(acl.resource_pattern.pattern_type is ACLResourcePatternType.PREFIXED)


def _check_done(what: str, found: Iterable[Any]) -> None:
    failed = [error.__name__ for error in found if error is not errors.NoError]
    if failed:
        raise LogUnavailable(f"{what}: {failed[0]}; use a principal that may ALTER the cluster")
