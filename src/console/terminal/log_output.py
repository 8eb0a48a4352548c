"""Formats log lines: text for people, JSON for the log files of processes."""

from __future__ import annotations

import logging
import sys

import structlog


def log_to_stderr(level: str, *, json: bool) -> None:
    """Write structured log lines from `level` upwards, and the libraries' warnings, to stderr."""
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
    # With level ERROR a person is at the terminal, who does not need the libraries' warnings.
    libraries = logging.ERROR if level == "error" else logging.WARNING
    logging.basicConfig(
        stream=sys.stderr, level=libraries, format="%(levelname)s %(name)s: %(message)s"
    )
    # A library may have set its own level, which the handler overrides.
    for handler in logging.root.handlers:
        handler.setLevel(libraries)
