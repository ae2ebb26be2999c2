"""What is held now, where a position's row keeps what was entered, left and sold apart."""

from collections.abc import Mapping
from dataclasses import replace

from reconciler.book.discovery.catalogue import Kind, Table
from reconciler.book.discovery.expressions import Notes, number
from reconciler.book.discovery.matching import Match

WHAT_IS_HELD = ("left", "qty", "entered")
"""The first of them that there is; of the others, what was closed is taken off."""


def with_what_is_held(matches: Mapping[str, Match], table: Table, notes: Notes) -> dict[str, Match]:
    """The same columns, with `qty` as the size that is held now."""
    found = dict(matches)
    role = next((role for role in WHAT_IS_HELD if role in found), None)
    if role is None:
        return found
    held = found[role]
    if role != "left":
        filled, gone = found.get("filled"), found.get("gone")
        if filled is not None:
            notes.assumed.append(
                f"{filled.column.name} of {table.quoted} is what is held, not "
                f"{held.column.name}, which was asked for"
            )
            held = filled
        if gone is not None:
            notes.assumed.append(
                f"{held.column.name} of {table.quoted} less {gone.column.name} is what is held"
            )
            held = _less(held, gone)
    elif "qty" in found:
        notes.assumed.append(
            f"{held.column.name} of {table.quoted} is what is held, not {found['qty'].column.name}"
        )
    return {**found, "qty": held}


def _less(whole: Match, gone: Match) -> Match:
    read = f"({number(whole.column, '{row}')} - coalesce({number(gone.column, '{row}')}, 0))"
    column = replace(whole.column, kind=Kind.NUMBER, is_generated=True, reads=read)
    return replace(whole, column=column)
