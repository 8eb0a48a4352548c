"""How the program's own log lines look: words for people, JSON for the files of processes."""

from __future__ import annotations

import logging
import sys

import structlog


def log_to_stderr(level: str, *, json: bool) -> None:
    """Send structured log lines from `level` on, and the libraries' warnings, to stderr."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    # Without local variables: what people bought and paid does not belong in a log.
    tracebacks = structlog.processors.ExceptionRenderer(
        structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([tracebacks] if json else []),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    # Whoever asks for errors alone is a person at a terminal: no use for the libraries' warnings.
    libraries = logging.ERROR if level == "error" else logging.WARNING
    logging.basicConfig(
        stream=sys.stderr, level=libraries, format="%(levelname)s %(name)s: %(message)s"
    )
    # A library may have set a level of its own, which the handler overrules.
    for handler in logging.root.handlers:
        handler.setLevel(libraries)
