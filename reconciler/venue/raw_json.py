"""Finding the list of rows in a venue's raw answer."""

from typing import Any


def found_at(document: Any, keys: tuple[str, ...]) -> Any:
    """Return what is under `keys`, None where some key is not there."""
    for key in keys:
        if not isinstance(document, dict):
            return None
        document = document.get(key)
    return document


def keyed_rows(document: Any, rows_at: tuple[str, ...], *, keyed_as: str) -> list[Any] | None:
    """Return the rows of an object that holds them by their ids, each with its id in a field.

    Some venues send a plain list at times; it is taken as it is.
    """
    rows = found_at(document, rows_at)
    if isinstance(rows, list):
        return rows
    if not isinstance(rows, dict) or not all(isinstance(row, dict) for row in rows.values()):
        return None
    return [{keyed_as: key, **row} for key, row in rows.items()]


def rows_within(rows: list[Any], field: str) -> list[Any] | None:
    """Return the rows that groups of them hold; None where some group holds none."""
    found: list[Any] = []
    for group in rows:
        inner = group.get(field) if isinstance(group, dict) else None
        if not isinstance(inner, list):
            return None
        found += inner
    return found


def rows_in(
    document: Any, rows_at: tuple[str, ...] | None, *, null_is_none: bool = False
) -> list[Any] | None:
    """Return the rows at a known place, or the only list there is where the place is not known.

    None where there is no list, or where several could be meant.
    """
    if rows_at is not None:
        rows = found_at(document, rows_at)
        if null_is_none and rows is None and rows_at:
            holder = found_at(document, rows_at[:-1])
            return [] if isinstance(holder, dict) and rows_at[-1] in holder else None
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
