"""What to do next about each kind, with the exact commands, and how sure the daemon is."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.incidents.answers import ContainmentRow, IncidentRow, NextStep

SURENESS: Mapping[str, str] = {
    "ghost_position": "very: the venue's own listing shows the position",
    "side_mismatch": "very: the venue's own listing shows the position",
    "quantity_mismatch": "very: both sides were read, the venue's twice",
    "phantom_position": "as sure as a complete listing: the venue showed no such position in it",
    "orphan_order": "very that it is live at the venue; whose it is, its client id may say",
    "order_quarantined": "sure that no endpoint of the venue shows it; why, is a guess",
    "stuck_order": "very: the venue still lists it live",
    "unaware_fill": "very: the venue's order or its fills say so",
    "mass_change": "a guess: a wrong key, sub-account or database is likelier than reality",
    "entry_after_containment": "very: the book or the venue shows a new entry",
    "stale_backlog": "very: it counts the book's own rows against complete listings",
    "venue_unreachable": "sure that it did not answer us; others may reach it",
    "venue_auth": "sure that it refuses our key; others may hold a good one",
    "book_unreadable": "very: the database said so",
    "clock_skew": "very: two clocks were read",
    "coverage_gap": "very: what is not covered is not judged",
    "auth_failure": "very: the probe asked several times",
}


def how_sure(kind: str, details: Mapping[str, Any]) -> str:
    """In a sentence. A person's own claim is as sure as that person."""
    if details.get("by"):
        return f"as sure as {details['by']}, who said so by hand"
    certainty = details.get("certainty")
    if kind == "auth_failure" and details.get("class") == "inconclusive":
        return "that requests are refused: very; whose fault it is: not known"
    said = SURENESS.get(kind, "see the runbook")
    return f"{said}; whose it is: {certainty}" if certainty else said


def runbook_of(kind: str) -> str:
    """The page about this kind, in the repository."""
    return f"docs/runbooks/{kind.replace('_', '-')}.md"


def next_steps(
    incident: IncidentRow, details: Mapping[str, Any], containments: Sequence[ContainmentRow] = ()
) -> tuple[NextStep, ...]:
    """In the order in which one would do them; nothing for a resolved one but re-enabling."""
    steps: list[NextStep] = []
    if incident.status == "open":
        command = f"reconciler incidents ack {incident.id} --by WHO"
        steps.append(NextStep(text="say that you have it: reminders stop", command=command))
    if incident.status != "resolved":
        steps += _by_kind(incident, details)
    standing = [c.profile_id for c in containments if c.released_at is None]
    for profile in standing:
        steps.append(
            NextStep(
                text=f"once parity is confirmed, let profile {profile} trade again",
                command=f"reconciler profiles reenable {profile} --by WHO",
            )
        )
    if incident.status != "resolved":
        steps.append(
            NextStep(text="tell people", command=f"reconciler incidents message {incident.id}")
        )
    return tuple(steps)


def _by_kind(incident: IncidentRow, details: Mapping[str, Any]) -> Iterator[NextStep]:
    account, symbol, order = incident.account, incident.symbol, incident.order_id
    match incident.kind:
        case "ghost_position" | "side_mismatch":
            yield from _not_contained(details)
            yield NextStep(
                text=f"at the venue, close or hedge {symbol} ({details.get('side')} "
                f"{details.get('venue_qty') or details.get('qty')}), reduce-only; or keep it"
            )
            side = details.get("side")
            advised = "closing it is advised" if details.get("threshold") else "or the desk does it"
            yield NextStep(
                text=f"{advised}, where policy.close_ghosts lets you: a dry run, until --execute",
                command=f"reconciler positions close {account} {symbol} {side} --by WHO --note T",
            )
            yield NextStep(
                text="if people hold it on purpose, have it ignored",
                command=f"reconciler ignore add {account} symbol {symbol} --by WHO",
            )
            yield NextStep(text="it resolves by itself once book and venue agree")
        case "phantom_position" | "quantity_mismatch":
            yield NextStep(
                text=f"correct the bot's rows of {symbol}, or the position at the venue: it "
                "resolves by itself once they agree"
            )
        case "order_quarantined":
            yield NextStep(
                text="see what the book and the venue say now",
                command=f"reconciler quarantine show {order} --live",
            )
            yield NextStep(
                text="say how it ended; that resolves this incident",
                command=f"reconciler quarantine resolve {order} --status STATUS --by WHO --note T",
            )
        case "stuck_order":
            yield NextStep(
                text="see it as book and venue do", command=f"reconciler orders show {order}"
            )
            yield NextStep(text="cancel it at the venue; it resolves once the listing lacks it")
            yield NextStep(
                text="or the desk does it, where policy.cancel_stuck_orders lets you: a dry run, "
                "until --execute",
                command=f"reconciler orders cancel {order} --by WHO --note T",
            )
        case "orphan_order":
            yield NextStep(text="cancel it at the venue, or have the bot adopt it")
            yield NextStep(
                text="if people placed it on purpose, have it ignored",
                command=f"reconciler ignore add {account} order {order} --by WHO",
            )
        case "unaware_fill":
            yield NextStep(text=f"make sure that the bot's position of {symbol} shows the fill")
        case "mass_change":
            yield NextStep(text="check the key, the sub-account, testnet and the database first")
            yield NextStep(
                text="if it is real, let it through once",
                command=f"reconciler guards accept {account} --by WHO --note T",
            )
        case "stale_backlog":
            yield NextStep(
                text="see the backlog",
                command=f"reconciler orders list --stale --account {account}",
            )
            yield NextStep(
                text="an order that is wrong in the book can be set aside by hand",
                command="reconciler quarantine add ORDER --by WHO --note T",
            )
        case "entry_after_containment":
            yield NextStep(text="stop the bot: it does not obey its profile's status")
        case "book_unreadable" | "venue_auth" | "venue_unreachable" | "clock_skew" | "auth_failure":
            yield from _doctor(details)
        case _:
            yield NextStep(text=f"see {runbook_of(incident.kind)}")


def _doctor(details: Mapping[str, Any]) -> Iterator[NextStep]:
    if doors := details.get("open_doors"):
        yield NextStep(text=f"take the bot off the network first: {', '.join(doors)} is open")
    yield NextStep(text="ask the doctor", command="reconciler check")


def _not_contained(details: Mapping[str, Any]) -> Iterator[NextStep]:
    for key, words in (("not_contained", "could not be contained"), ("held_back", "is held back")):
        if details.get(key):
            yield NextStep(
                text=f"the profile STILL TRADES, containing it {words} ({details[key]}): "
                "set it inactive by hand"
            )
    if "would_contain" in details:
        yield NextStep(text="observe: nothing was contained; set the profile inactive by hand")
