"""Actor: who may give which command."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.commands import ROLES
from ledger.policies.case import Case, violation
from ledger.refusal import Code, Violation
from ledger.shapes import Role

_STOOD_IN_FOR = frozenset({Role.OWNER, Role.BUYER})


def forbidden(case: Case) -> Iterator[Violation]:
    """A role may give only its own commands; SUPPORT may stand in for OWNER and BUYER.

    Source: decided for this ledger. By hand: a VENDOR sends ReturnInstance, which OWNER may give
    (so SUPPORT may too): `FORBIDDEN`.
    """
    allowed = ROLES[type(case.command)]
    if case.role in allowed or (case.role is Role.SUPPORT and allowed & _STOOD_IN_FOR):
        return
    roles = ", ".join(sorted(allowed | ({Role.SUPPORT} if allowed & _STOOD_IN_FOR else set())))
    yield violation(
        "actor",
        Code.FORBIDDEN,
        f"{case.role} may not give {case.given.name}; send it as one of: {roles}",
        role=case.role,
        allowed=roles,
    )
