"""Where a page stands among the pages: its own address, and the ways to the others."""

from __future__ import annotations

from fastapi import Request
from msgspec import Struct

from console.web.pages.rendering.languages import N_
from console.web.pages.rendering.links import address

OF_THE_PAST = ("as_of", "known_at")


class Room(Struct, frozen=True, kw_only=True):
    """A room of the console in the navigation: its first page, its other pages' beginning,
    and the letter that leads there after `g`.
    """

    name: str
    path: str
    within: str
    key: str


ROOMS = (
    Room(name=N_("Overview"), path="/", within="/overview", key="o"),
    Room(name=N_("Accounts"), path="/lists/accounts", within="/accounts/", key="a"),
    Room(name=N_("Recycle bin"), path="/recycle-bin", within="/recycle-bin", key="b"),
    Room(name=N_("Refunds"), path="/lists/refunds", within="/refunds", key="r"),
    Room(name=N_("Marketplace"), path="/marketplace", within="/marketplace", key="m"),
    Room(name=N_("Work"), path="/work", within="/work", key="w"),
    Room(name=N_("Approvals"), path="/approvals", within="/approvals", key="p"),
    Room(name=N_("Events"), path="/events", within="/events", key="e"),
    Room(name=N_("Books"), path="/books", within="/books", key="k"),
    Room(name=N_("Rules"), path="/rules", within="/rules", key="l"),
)
"""The navigation, in its order."""


class Here(Struct, frozen=True, kw_only=True):
    """The address of a page: its path, and what was asked of it."""

    path: str
    query: dict[str, str]

    @staticmethod
    def of(request: Request) -> Here:
        """That of a request, as it came, so that an id stays quoted; two strokes at its beginning
        would name another site.
        """
        raw = request.scope.get("raw_path") or request.url.path.encode()
        path = "/" + raw.decode("ascii", "replace").lstrip("/\\")
        return Here(path=path, query=dict(request.query_params))

    @property
    def rooms(self) -> tuple[Room, ...]:
        """The navigation."""
        return ROOMS

    @property
    def past(self) -> dict[str, str]:
        """The instants asked about, which every link keeps."""
        return {name: self.query[name] for name in OF_THE_PAST if self.query.get(name)}

    def with_(self, **changes: str) -> str:
        """This page with other parameters; an empty one is left out."""
        return address(self.path, self.query | changes)

    def to(self, path: str, **query: str) -> str:
        """Another page, about the same past."""
        return address(path, self.past | query)

    def is_in(self, room: Room) -> bool:
        """Whether this page is one of the room's."""
        return self.path == room.path or self.path.startswith(room.within)
