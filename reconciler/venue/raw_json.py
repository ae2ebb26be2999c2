"""Finding the list of rows in a venue's raw answer."""

from typing import Any


def found_at(document: Any, keys: tuple[str, ...]) -> Any:
    """Return what is under `keys`, None where some key is not there."""
    for key in keys:
        if not isinstance(document, dict):
            return None
        document = document.get(key)
    return document


def rows_in(document: Any, rows_at: tuple[str, ...] | None) -> list[Any] | None:
    """Return the rows at a known place, or the only list there is where the place is not known.

    None where there is no list, or where several could be meant.
    """
    if rows_at is not None:
        rows = found_at(document, rows_at)
        return rows if isinstance(rows, list) else None
    if isinstance(document, list):
        return document
    lists = list(_lists_of_rows(document))
    return lists[0] if len(lists) == 1 else None


def _lists_of_rows(document: Any) -> list[list[Any]]:
    """Return the lists that hold rows (or nothing), not those of plain words or numbers."""
    if not isinstance(document, dict):
        return []
    found: list[list[Any]] = []
    for value in document.values():
        if isinstance(value, list) and all(isinstance(row, dict | list) for row in value):
            found.append(value)
        else:
            found.extend(_lists_of_rows(value))
    return found
