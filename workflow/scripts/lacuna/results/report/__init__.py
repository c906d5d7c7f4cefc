"""The report: one HTML page that shows the chains, what was filled and how far to trust it."""

from lacuna.results.report.page import MAX_DRAWN, page_template, write_report
from lacuna.results.report.sample import TABLES, ReportFiles
from lacuna.results.report.words import MAX_ROWS

__all__ = ["MAX_DRAWN", "MAX_ROWS", "TABLES", "ReportFiles", "page_template", "write_report"]
