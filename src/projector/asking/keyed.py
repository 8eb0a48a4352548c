"""Selects a page of a query by the first keys that have rows, where the view would compute all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from projector.asking.within import Within
from projector.questions import Keys, Question

_MORE, _LOOKS = 8, 2


def keys_of(question: Question, account_id: str | None, within: Within | None) -> Keys | None:
    """Those by which the question's pages can be found; None if it must be asked as it is."""
    keys = question.keys
    if account_id is not None and keys is not None and keys.columns == ("account_id",):
        return None
    if keys is None or tuple(question.order.split()[: len(keys.columns)]) != keys.of_rows:
        return None
    by_vendors = within is not None and question.of_vendors and within.vendors
    return None if by_vendors else keys


def looks(limit: int) -> Iterator[int]:
    """How many keys a page looks at, one after the other until it is full: a key has a row, but
    what was asked for may leave it out. After the last of them it takes the whole view.
    """
    for number in range(_LOOKS):
        yield (limit + 2) * _MORE**number


def found_keys(keys: Keys, kept: Sequence[str], *, after: bool) -> str:
    """The SQL of the first `%(keys)s` keys, of those that `kept` says, from a place on."""
    names = ", ".join(keys.columns)
    if after:
        first = ", ".join(f"%(after_{number})s" for number in range(len(keys.columns)))
        kept = [*kept, f"({names}) >= ({first})"]
    ordered = f"ORDER BY {names} LIMIT %(keys)s"
    parts = [
        # Our own names and conditions; what a person says is a parameter.
        f"(SELECT DISTINCT {names} FROM (SELECT * FROM {source})"  # noqa: S608
        f"{' WHERE ' + ' AND '.join(kept) if kept else ''} {ordered})"
        for source in keys.sources
    ]
    return f"SELECT * FROM ({' UNION '.join(parts)}) {ordered}"  # noqa: S608  # as above


def rows_of_keys(keys: Keys, found: str, source: str) -> str:
    """The rows of the source for these keys, each computed apart (which OFFSET 0 is for)."""
    names = ", ".join(own_names(keys))
    same = " AND ".join(
        f"{word} = {own}" for word, own in zip(keys.of_rows, own_names(keys), strict=True)
    )
    return (
        f"({found}) keys ({names})"  # noqa: S608  # as above
        f" CROSS JOIN LATERAL (SELECT * FROM {source} WHERE {same} OFFSET 0) rows"
    )


def own_names(keys: Keys) -> list[str]:
    """What the keys are called beside the columns of the rows, in the order that they come in."""
    return [f"key_{number}" for number in range(len(keys.columns))]
