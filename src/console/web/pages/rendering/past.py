"""The past that a page is about: as of when, and as far as was known when."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Query, Request
from msgspec import Struct
from psycopg import Connection

from console.web.api.queries import instant_of
from console.web.pages.rendering.here import OF_THE_PAST
from projector.asking.queries import Moment, moment

_NOT_KEPT = (*OF_THE_PAST, "cursor", "lang", "theme")


class Past(Struct, frozen=True, kw_only=True):
    """The two instants as they were typed, empty for the present, and the page's other values."""

    as_of: str
    known_at: str
    others: dict[str, str]

    @property
    def query(self) -> dict[str, str]:
        """The instants that were asked about, for an address."""
        told = {"as_of": self.as_of, "known_at": self.known_at}
        return {name: text for name, text in told.items() if text}

    def moment(self, connection: Connection[Any]) -> Moment | None:
        """The moment to ask about; None is the present. Problem names a field that is no instant;
        NotAnswerable says why there is no answer.
        """
        return moment(
            connection,
            instant_of("as_of", self.as_of or None),
            instant_of("known_at", self.known_at or None),
        )


def past_of(
    request: Request,
    as_of: Annotated[str, Query()] = "",
    known_at: Annotated[str, Query()] = "",
) -> Past:
    """The past that a request asks about."""
    others = {k: v for k, v in request.query_params.items() if v and k not in _NOT_KEPT}
    return Past(as_of=as_of.strip(), known_at=known_at.strip(), others=others)


AskedPast = Annotated[Past, Depends(past_of)]
