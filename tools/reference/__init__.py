"""The reference pages: what they say is read from the program, so that they cannot fall behind."""

from __future__ import annotations

from pathlib import Path

from tools.reference.access import access_page
from tools.reference.asyncapi import asyncapi_document
from tools.reference.codes import codes_page
from tools.reference.finance import finance_page
from tools.reference.licences import licences_page
from tools.reference.parts import parts_page
from tools.reference.rules import rules_page
from tools.reference.states import states_page
from tools.reference.topics import topics_page
from tools.reference.vocabulary import commands_page, events_page

FOLDER = Path(__file__).parent.parent.parent / "docs" / "reference"


def reference_pages() -> dict[Path, str]:
    """Every page and the text it should have."""
    return {
        FOLDER / "access.md": access_page(),
        FOLDER / "commands.md": commands_page(),
        FOLDER / "events.md": events_page(),
        FOLDER / "codes.md": codes_page(),
        FOLDER / "topics.md": topics_page(),
        FOLDER / "parts.md": parts_page(),
        FOLDER / "rules.md": rules_page(),
        FOLDER / "states.md": states_page(),
        FOLDER / "finance.md": finance_page(),
        FOLDER / "licences.md": licences_page(),
        FOLDER / "asyncapi.yaml": asyncapi_document(),
    }
