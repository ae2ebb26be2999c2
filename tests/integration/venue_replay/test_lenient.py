"""Reading JSON as people write it in comments."""

import pytest

from tests.integration.venue_replay.lenient import UnreadableError, read_document


@pytest.mark.parametrize(
    ("text", "value", "cuts"),
    [
        ('{"a": 1, "b": [true, null, -0.5, 1e-3],}', {"a": 1, "b": [True, None, -0.5, 0.001]}, 0),
        ("{a: 'one', 'b': False}", {"a": "one", "b": False}, 0),
        ('{"a": "1"  // so many\n "b": "2"\n}', {"a": "1", "b": "2"}, 0),
        ('[{"a": 1}, ...]', [{"a": 1}], 1),
        ('[{"a": 1},\n .. the second is similar, but with `b`\n]', [{"a": 1}], 1),
        (
            '{"a": "0. 001", "b": "20 00", "c": "one 2"}',
            {"a": "0.001", "b": "2000", "c": "one 2"},
            0,
        ),
        (r'{"a": "{\"b\": 1}"}', {"a": '{"b": 1}'}, 0),
    ],
)
def test_what_was_meant_is_read(text: str, value: object, cuts: int) -> None:
    document = read_document(text)
    assert (document.value, document.cuts, document.end) == (value, cuts, len(text))


@pytest.mark.parametrize(
    "text",
    ['{"a": 1', '{"a": for b: 1}', '{"a"}', '[{"a": FULL}]', '{"a": 1, coinm {"b": 2}}', "{1: 2}"],
)
def test_what_cannot_be_told_is_refused(text: str) -> None:
    with pytest.raises(UnreadableError):
        read_document(text)
