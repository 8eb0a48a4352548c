"""How every page is made: its words, its looks, its tables, and where it stands in the log."""

from console.web.pages.rendering.page import page
from console.web.pages.rendering.past import AskedPast, Past
from console.web.pages.rendering.tables import Table, table_of

__all__ = ["AskedPast", "Past", "Table", "page", "table_of"]
