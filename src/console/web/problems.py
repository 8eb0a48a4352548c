"""Errors as problem documents (RFC 9457): what is wrong, with which field, and the next step."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from typing import Any, TypedDict
from urllib.parse import quote

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from psycopg import DataError, OperationalError
from psycopg_pool import PoolTimeout
from starlette.exceptions import HTTPException

from console.rendering.sentences.saying import ENGLISH, Saying
from console.terminal.errors import BAD_INPUT, explain
from ledger.values.wording import Wording
from projector.asking.queries import UnknownAccount
from projector.asking.within import NotTheirs

PROBLEM = "application/problem+json"
_log = structlog.get_logger(__name__)


class Problem(Exception):
    """A request that is not answered as asked: status, title, sentence, and more figures."""

    def __init__(self, status: int, title: str, detail: str, **more: object) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title
        self.detail = detail
        self.more = more


def saying_for(request: Request) -> Saying:
    """How the sentences of an answer are said: as its `Accept-Language` asks, or in English."""
    say: Saying = request.app.state.saying(request)
    return say


class Fault(TypedDict):
    """A field that cannot be taken: its path, what was found there, what is expected of it."""

    field: str
    found: str
    expected: Wording


class FieldFault(Problem):
    """Fields of a request that cannot be taken."""

    def __init__(self, faults: Sequence[Fault], say: Saying = ENGLISH) -> None:
        """The faults in English, and the language that tells them."""
        self.faults = tuple(faults)
        if len(faults) == 1:
            detail = say.said("1 field of the request cannot be taken; nothing was done")
        else:
            detail = say.said(
                "{count} fields of the request cannot be taken; nothing was done", count=len(faults)
            )
        told = [fault_told(each, say) for each in faults]
        super().__init__(400, "The request cannot be read", detail, faults=told)


def fault_told(fault: Fault, say: Saying) -> dict[str, str]:
    """A fault as a language says it."""
    return {
        "field": fault["field"],
        "found": say.found(fault["found"]),
        "expected": say.expected(fault["expected"]),
    }


def told_in(problem: Problem, say: Saying) -> Problem:
    """The problem as a language says it."""
    return FieldFault(problem.faults, say) if isinstance(problem, FieldFault) else problem


class _AsciiResponse(JSONResponse):
    """A problem repeats what was sent, also half a character, which UTF-8 does not have."""

    def render(self, content: object) -> bytes:
        return json.dumps(content, separators=(",", ":")).encode("ascii")


def problem_response(problem: Problem) -> JSONResponse:
    """The problem as its document."""
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        **problem.more,
    }
    return _AsciiResponse(document, problem.status, media_type=PROBLEM)


class SignInFirst(Exception):
    """A page that nobody signed in asks for: go to the sign-in page, and come back."""


class GoTo(Exception):
    """The page is at another path for whoever asks."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


def install(
    app: FastAPI, as_page: Callable[[Request, Problem], Response]
) -> Callable[[Request, Exception], Response]:
    """Let every error of a request become a page for a browser, and otherwise a document. Returns
    what answers those that have no handler of their own.
    """

    def answer_of(request: Request, problem: Problem) -> Response:
        browser = "text/html" in request.headers.get("Accept", "")
        if browser:
            return as_page(request, problem)
        return problem_response(told_in(problem, saying_for(request)))

    @app.exception_handler(SignInFirst)
    def _sign_in(request: Request, _: SignInFirst) -> Response:
        there = quote(request.url.path if request.method == "GET" else "/", safe="")
        return RedirectResponse(f"/signin?next={there}", 303)

    @app.exception_handler(GoTo)
    def _elsewhere(_: Request, error: GoTo) -> Response:
        return RedirectResponse(error.path, 303)

    @app.exception_handler(Problem)
    def _told(request: Request, problem: Problem) -> Response:
        return answer_of(request, problem)

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> Response:
        problem = Problem(error.status_code, "Not possible", str(error.detail))
        return answer_of(request, problem)

    @app.exception_handler(RequestValidationError)
    def _invalid(request: Request, error: RequestValidationError) -> Response:
        faults = [
            Fault(
                field=".".join(str(part) for part in each["loc"][1:]),
                found=str(each.get("input"))[:100],
                expected=Wording(str(each["msg"])),
            )
            for each in error.errors()
        ]
        return answer_of(request, FieldFault(faults))

    @app.exception_handler(Exception)
    def _other(request: Request, error: Exception) -> Response:
        return answer_of(request, problem_of(request.url.path, error))

    return _other


def problem_of(path: str, error: Exception) -> Problem:
    """The problem that an expected error is; for a bug one with an id that the log has too."""
    if isinstance(error, UnknownAccount):
        return Problem(404, "Not found", str(error.args[0]))
    if isinstance(error, NotTheirs):
        return Problem(403, "Not allowed", str(error.args[0]))
    if isinstance(error, DataError):
        return Problem(400, "Not possible", f"the database cannot take a value: {error}")
    if isinstance(error, (OperationalError, PoolTimeout)):
        return Problem(
            503,
            "The database does not answer",
            "the read models cannot be asked now; ask again in a moment",
        )
    told = explain(error)
    if told is None:
        mark = str(uuid.uuid4())
        _log.error("a request failed", path=path, id=mark, exc_info=error)
        return Problem(500, "A fault of ours", f"tell an operator the id {mark}", id=mark)
    code, sentence = told
    if code == BAD_INPUT:
        return Problem(400, "Not possible", sentence)
    return Problem(503, "Not available", sentence)
