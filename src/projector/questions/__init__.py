"""The queries of `refundctl query`, one file for each part of finance."""

from __future__ import annotations

from projector.questions import balances, books, record, refunds, resources
from projector.questions.question import Column, Keys, Kind, Question

__all__ = ["QUESTIONS", "Column", "Keys", "Kind", "Question"]

_PARTS = (balances, resources, refunds, books, record)
QUESTIONS: dict[str, Question] = {
    question.name: question for part in _PARTS for question in part.QUESTIONS
}
"""Every query by its name, in the order of the list."""
