"""Links from pages to files outside of docs/: those files become a part of the site.

A page may link to any file of the repository, as it does where the repository itself is browsed.
MkDocs knows only what is in docs/. So a linked file is added under `repository/`, with what it
links to in turn if it is a page, and the links are changed to match.
"""

import os
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

DOCS = Path(__file__).resolve().parents[1]
ROOT = DOCS.parent
NAMED = ("CONTRIBUTING.md", "CHANGELOG.md")  # in the navigation
LINK = re.compile(r"(?<=\]\()(?![a-z]+:)([^)#\s]+)")  # the path of a link; no address, no anchor


def place(path: Path) -> str:
    """Where a file of the repository is in the site."""
    if path.is_relative_to(DOCS):
        return path.relative_to(DOCS).as_posix()
    return f"repository/{path.relative_to(ROOT).as_posix()}"


def linked(source: Path, link: str) -> Path | None:
    """The file that a page links to; None if it is not there, which MkDocs then says."""
    target = Path(os.path.normpath(source.parent / link))
    return target if target.is_file() and target.is_relative_to(ROOT) else None


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add every file outside of docs/ that a page leads to."""
    waiting = [Path(file.abs_src_path) for file in files.documentation_pages()]
    waiting += [ROOT / name for name in NAMED]
    seen: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        if not path.is_relative_to(DOCS):
            files.append(File.generated(config, place(path), abs_src_path=str(path)))
        if path.suffix == ".md":
            found = (linked(path, link) for link in LINK.findall(path.read_text("utf-8")))
            waiting += [target for target in found if target is not None]
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn the links of a page into those of the site."""
    source = Path(page.file.abs_src_path)
    here = os.path.dirname(place(source))

    def moved(match: re.Match[str]) -> str:
        target = linked(source, match[1])
        return match[1] if target is None else os.path.relpath(place(target), here or ".")

    return LINK.sub(moved, markdown)
