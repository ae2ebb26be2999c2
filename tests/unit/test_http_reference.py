"""docs/http.md says what the API's own description says."""

import re

from tests.unit.test_docs import DOCS, script


def test_the_page_is_current() -> None:
    written = (DOCS / "http.md").read_text(encoding="utf-8")
    page: str = script("generate_http_reference").page()
    assert written == page, "run: python docs/generate_http_reference.py"


def test_links_within_the_page_lead_somewhere() -> None:
    page = (DOCS / "http.md").read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", page, flags=re.MULTILINE)
    known = {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}
    assert set(re.findall(r"\]\(#([\w-]+)\)", page)) <= known
