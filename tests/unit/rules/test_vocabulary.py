"""What a status word in a book means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.domain.orders import OrderState
from reconciler.rules.vocabulary import STATUS_WORDS, normalise_word, state_of

S = OrderState


@pytest.mark.parametrize(
    ("word", "state"),
    [
        # Alpaca
        ("new", S.OPEN),
        ("accepted", S.OPEN),
        ("pending_new", S.IN_FLIGHT),
        ("partially_filled", S.PARTIALLY_FILLED),
        ("filled", S.FILLED),
        ("done_for_day", S.OPEN),
        ("canceled", S.CANCELED),
        ("expired", S.EXPIRED),
        ("replaced", S.CANCELED),
        ("pending_cancel", S.CANCELING),
        ("pending_replace", S.OPEN),
        ("calculated", S.OPEN),
        ("stopped", S.OPEN),
        ("suspended", S.OPEN),
        ("rejected", S.REJECTED),
        # ccxt
        ("open", S.OPEN),
        ("closed", S.FILLED),
        ("canceling", S.CANCELING),
        # Binance, Bybit, OKX
        ("NEW", S.OPEN),
        ("PENDING_CANCEL", S.CANCELING),
        ("EXPIRED_IN_MATCH", S.EXPIRED),
        ("PartiallyFilled", S.PARTIALLY_FILLED),
        ("PartiallyFilledCanceled", S.CANCELED),
        ("Untriggered", S.OPEN),
        ("live", S.OPEN),
        # FIX names, spelt as bots do
        ("PendingNew", S.IN_FLIGHT),
        ("PendingCancel", S.CANCELING),
        ("Pending Cancel", S.CANCELING),
        ("DoneForDay", S.OPEN),
        ("Partially filled", S.PARTIALLY_FILLED),
        ("in-flight", S.IN_FLIGHT),
        ("  Cancelled ", S.CANCELED),
        # ours
        ("unknown", S.UNKNOWN),
        # anything else is not known, and not terminal
        ("", S.UNMAPPED),
        (None, S.UNMAPPED),
        ("zonked", S.UNMAPPED),
        ("timed_out", S.UNMAPPED),  # the request, or the order? its outcome is not known
        ("timeout", S.UNMAPPED),
        ("not filled", S.UNMAPPED),
        ("filled?", S.UNMAPPED),
    ],
)
def test_word(word: str | None, state: OrderState) -> None:
    assert state_of(word) is state


@pytest.mark.parametrize("state", [s for s in OrderState if s is not S.UNMAPPED])
def test_every_state_reads_its_own_name(state: OrderState) -> None:
    assert state_of(state.value) is state


def test_every_known_word_is_in_its_normal_form() -> None:
    assert [word for word in STATUS_WORDS if normalise_word(word) != word] == []
    assert S.UNMAPPED not in STATUS_WORDS.values()


def test_a_presets_words_speak_first() -> None:
    added = {"Zonked": S.CANCELED, "DONE": S.OPEN}
    assert state_of("zonked", added=added) is S.CANCELED
    assert state_of("done", added=added) is S.OPEN
    assert state_of("filled", added=added) is S.FILLED


@given(word=st.sampled_from(sorted(STATUS_WORDS)), data=st.data())
def test_spelling_never_changes_a_meaning(word: str, data: st.DataObject) -> None:
    spelt = "".join(data.draw(st.sampled_from([c, c.upper()])) for c in word)
    spelt = spelt.replace("_", data.draw(st.sampled_from(["_", "-", " "])))
    assert state_of(f" {spelt} ") is STATUS_WORDS[word]


@given(st.text())
def test_a_word_outside_is_never_terminal(word: str) -> None:
    normal = normalise_word(word)
    if normal.replace("_", "") not in {known.replace("_", "") for known in STATUS_WORDS}:
        assert state_of(word) is S.UNMAPPED
