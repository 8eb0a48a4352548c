"""Writes a report: a page with its charts, or only the charts as PDF or PNG."""

from __future__ import annotations

from enum import StrEnum
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

from projector.exports.errors import CannotBeWritten
from projector.report.figures import Figures
from projector.report.pictures import Picture, pictures

_PAGE = Path(__file__).with_name("page.html.j2")
_STYLE: Any = {
    "svg.hashsalt": "refund-ledger",
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    "font.family": "DejaVu Sans",
    "font.size": 10.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.formatter.limits": (-12, 12),
    "grid.color": "#e5e5e5",
    "legend.frameon": False,
}
_WIDTH, _BAR, _REST = 9.0, 0.42, 1.3
"""Inches: a picture's width, the height of a bar, and of all about the bars."""


class ReportFormat(StrEnum):
    """The formats of a report."""

    HTML = "html"
    PDF = "pdf"
    PNG = "png"


def render(told: Figures, wanted: ReportFormat) -> bytes:
    """The same figures give the same bytes. Raises CannotBeWritten without matplotlib or Jinja."""
    _see_what_is_installed()
    shown = pictures(told)
    if wanted is ReportFormat.HTML:
        return _page(told, shown)
    return _sheet(told, shown, wanted)


def footer(told: Figures) -> str:
    """The figures' position in the log, and their digest."""
    at = ", ".join(f"{partition}: {events:,}" for partition, events in told.log_position.items())
    return f"Events by partition of the log {at} · SHA-256 of the figures {told.digest}"


def _page(told: Figures, shown: tuple[Picture, ...]) -> bytes:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(_PAGE.read_text(encoding="utf-8"))
    drawn = [(picture, svg(picture) if picture.bars else "") for picture in shown]
    return template.render(told=told, drawn=drawn, footer=footer(told)).encode()


def svg(picture: Picture) -> str:
    """One chart as SVG, drawn by matplotlib; not in two threads at once, whose styles would mix."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH, _REST + _BAR * picture.bars), layout="constrained")
        picture.draw(figure.subplots())
        text = StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()[text.getvalue().index("<svg") :]


def _sheet(told: Figures, shown: tuple[Picture, ...], wanted: ReportFormat) -> bytes:
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    drawn = [picture for picture in shown if picture.bars]
    heights = [_REST + 0.5 + _BAR * picture.bars for picture in drawn] or [_REST]
    with rc_context(_STYLE):
        layout = ConstrainedLayoutEngine(h_pad=0.15)
        figure = Figure(figsize=(_WIDTH, sum(heights) + 1.4), layout=layout)
        figure.suptitle(
            f"Refunds recorded from {told.since} until {told.until}", x=0.02, ha="left", size=14
        )
        panels = figure.subplots(len(heights), 1, height_ratios=heights, squeeze=False)
        for (axes,), picture in zip(panels, drawn, strict=False):
            picture.draw(axes)
            axes.set_title(picture.title, loc="left", size=11, weight="bold", pad=14)
        if not drawn:
            panels[0][0].set_axis_off()
        figure.supxlabel(footer(told), x=0.02, ha="left", size=6.5, color="#555555")
        out = BytesIO()
        metadata: dict[str, Any] = {"CreationDate": None} if wanted is ReportFormat.PDF else {}
        figure.savefig(
            out, format=wanted.value, dpi=150, metadata={**metadata, **_NAMELESS[wanted]}
        )
    return out.getvalue()


_NAMELESS: dict[ReportFormat, dict[str, Any]] = {
    ReportFormat.PDF: {"Producer": None, "Creator": None},
    ReportFormat.PNG: {"Software": None},
}


def _see_what_is_installed() -> None:
    try:
        import jinja2  # noqa: F401  # only whether it is there
        import matplotlib  # noqa: F401  # as above
    except ImportError as error:
        raise CannotBeWritten(
            f"a report needs {error.name}, which is not installed: "
            "pip install 'refund-ledger[report]'"
        ) from error
