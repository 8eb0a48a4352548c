"""What can be asked of the read models: every question, a file for each part of finance."""

from __future__ import annotations

from projector.questions import balances, books, record, refunds, resources
from projector.questions.question import Column, Kind, Question

__all__ = ["QUESTIONS", "Column", "Kind", "Question"]

_PARTS = (balances, resources, refunds, books, record)
QUESTIONS: dict[str, Question] = {
    question.name: question for part in _PARTS for question in part.QUESTIONS
}
"""Every question by its name, in the order they are listed."""
