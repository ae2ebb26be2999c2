"""What every route asks for: the desk, who calls, names out of paths, notes out of bodies."""

from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import unquote

from fastapi import Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.convertors import Convertor, register_url_convertor

from reconciler.http.callers import Caller
from reconciler.http.gate import CALLER
from reconciler.http.problems import Refusal
from reconciler.incidents.desk import LONGEST_NAME, LONGEST_NOTE, Actor, Desk
from reconciler.incidents.listing import LARGEST_ID, MOST_ROWS

NAME: Final = r"^[^\u0000-\u001f\u007f]+$"
"""No control characters: no database keeps some of them, and nobody sees the others."""
TEXT: Final = r"^[^\u0000]*$"
SAYING_SOMETHING: Final = r"^[^\u0000]*[A-Za-z0-9][^\u0000]*$"
MARKET: Final = r"^[!-~\u00c0-\u024f\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3]+$"
"""Without spaces: ASCII, and the letters that venues name markets with."""

NOT_READ: Final = "X-Reconciler-Not-Read"
LONGEST_HEADER: Final = 1000
MAY_LACK_BOOKS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "headers": {
            NOT_READ: {
                "description": "Books that could not be read, and why: their rows are not here.",
                "schema": {"type": "string"},
            }
        }
    }
}


class _Quoted(Convertor[str]):
    """One segment of a path, quoted as it was sent: `%2F` in it is a `/` of the name."""

    regex = "[^/]+"

    def convert(self, value: str) -> str:
        return unquote(value, errors="replace")

    def to_string(self, value: str) -> str:
        raise NotImplementedError("no route is ever spelled backwards")


register_url_convertor("quoted", _Quoted())


async def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


async def _caller(request: Request) -> Caller:
    caller: Caller = request.scope[CALLER]
    return caller


async def _actor(caller: Annotated[Caller, Depends(_caller)]) -> Actor:
    return Actor(who=caller.name, surface="http")


def tell_unread(response: Response, unread: Mapping[str, str]) -> None:
    """Name the books that the answer lacks. A header: the answer is the list all the same."""
    if unread:
        said = "; ".join(f"{book}: {why}" for book, why in unread.items())
        printable = "".join(c if c.isascii() and c.isprintable() else "?" for c in said)
        response.headers[NOT_READ] = printable[:LONGEST_HEADER]


FromDesk = Annotated[Desk, Depends(_desk)]
FromCaller = Annotated[Caller, Depends(_caller)]
By = Annotated[Actor, Depends(_actor)]
"""The token's name or the user of the JWT, never what a body says."""

IncidentId = Annotated[
    int, Path(ge=1, le=LARGEST_ID, description="The incident's number.", examples=[1])
]
OrderId = Annotated[
    str,
    Path(
        min_length=1,
        max_length=LONGEST_NAME,
        pattern=NAME,
        description="The order's id in the book; `/` in it is sent as `%2F`.",
        examples=["o-1"],
    ),
]
ProfileId = Annotated[
    str,
    Path(
        min_length=1,
        max_length=LONGEST_NAME,
        pattern=NAME,
        description="The profile's id in the book; `/` in it is sent as `%2F`.",
        examples=["p1"],
    ),
]
Account = Annotated[
    str,
    Path(
        min_length=1,
        max_length=LONGEST_NAME,
        pattern=NAME,
        description="The account's name in the configuration.",
        examples=["main"],
    ),
]
OfAccount = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=LONGEST_NAME,
        pattern=NAME,
        description="Of this account only.",
    ),
]
OfProfile = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=LONGEST_NAME,
        pattern=NAME,
        description="Of this profile only.",
    ),
]
OfBook = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=LONGEST_NAME,
        pattern=NAME,
        description="The book's name, where several books know the id.",
    ),
]
Limit = Annotated[int, Query(ge=1, le=MOST_ROWS, description="Rows at most.")]


class Body(BaseModel):
    """A JSON object without anything that we do not know."""

    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)


class Noted(Body):
    """Why, in a sentence; may be left out."""

    note: str = Field("", max_length=LONGEST_NOTE, pattern=TEXT, examples=["looking at it"])
    """Kept beside the change."""


class Explained(Body):
    """Why, in a sentence."""

    note: str = Field(
        min_length=1,
        max_length=LONGEST_NOTE,
        pattern=SAYING_SOMETHING,
        examples=["closed by hand at the venue"],
    )
    """Kept beside the change."""


class Act(Explained):
    """Why, and whether it is really meant."""

    execute: bool = False
    """Send it. Without this the answer only shows what would be sent."""


def note_of(body: Noted | None) -> str:
    """The note, where one was sent."""
    return body.note if body is not None else ""


MAY_BE_REFUSED: Final[dict[int | str, dict[str, Any]]] = {
    409: {
        "model": Refusal,
        "description": "It may not be done now; `reasons` says what is in the way.",
    }
}
"""What a route may answer beside the refusals of every route, for the description."""
