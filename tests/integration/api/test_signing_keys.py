"""JWKS: fetched when needed, once for all, and kept while the address has a bad day."""

import asyncio
import json
import time

import pytest
import structlog
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from reconciler.http.signing_keys import (
    FETCH_WITHIN,
    FRESH_FOR,
    KEPT_FOR,
    RETRY_AFTER,
    SigningKeys,
    keys_of,
)
from tests.integration.api.tokens import EC_KEY, OTHER_EC_KEY, RSA_KEY, Jwks, public

BAD_DAYS = ["down", "garbage", "no document", "huge", "elsewhere"]


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(jwks: Jwks, clock: Clock) -> SigningKeys:
    return SigningKeys(f"{jwks.issuer}/.well-known/jwks.json", clock=clock)


async def test_nothing_is_asked_before_a_token_needs_it(keys: SigningKeys, jwks: Jwks) -> None:
    assert jwks.asked == 0
    found = await keys.find("ec")
    assert found is not None
    assert found.algorithm == "ES256"
    assert (await keys.find("rsa")) is not None
    assert jwks.asked == 1


async def test_many_at_once_are_one_fetch(keys: SigningKeys, jwks: Jwks) -> None:
    found = await asyncio.gather(*(keys.find("ec") for _ in range(50)))
    assert all(found)
    assert jwks.asked == 1


async def test_a_new_key_is_found_and_an_old_one_ends(
    keys: SigningKeys, jwks: Jwks, clock: Clock
) -> None:
    await keys.find("ec")
    jwks.keys = [public("new", OTHER_EC_KEY)]
    assert await keys.find("new") is None  # asked a moment ago
    clock.now += RETRY_AFTER.total_seconds() + 1
    assert await keys.find("new") is not None
    assert await keys.find("ec") is None
    assert jwks.asked == 2


async def test_unknown_ids_make_one_fetch_in_half_a_minute(
    keys: SigningKeys, jwks: Jwks, clock: Clock
) -> None:
    for number in range(100):
        assert await keys.find(f"guess-{number}") is None
        clock.now += 0.5
    assert jwks.asked == 2


async def test_known_keys_are_read_anew_after_a_while(
    keys: SigningKeys, jwks: Jwks, clock: Clock
) -> None:
    await keys.find("ec")
    clock.now += FRESH_FOR.total_seconds() - 1
    await keys.find("ec")
    assert jwks.asked == 1
    clock.now += 2
    await keys.find("ec")
    assert jwks.asked == 2


@pytest.mark.parametrize("mood", BAD_DAYS)
async def test_known_keys_go_on_through_a_bad_day(
    keys: SigningKeys, jwks: Jwks, clock: Clock, mood: str
) -> None:
    assert await keys.find("ec") is not None
    jwks.mood = mood
    with structlog.testing.capture_logs() as logs:
        for _ in range(10):
            clock.now += FRESH_FOR.total_seconds()
            assert await keys.find("ec") is not None
    assert {line["event"] for line in logs} == {"[AUTH] signing keys not fetched"}
    jwks.mood = "well"
    jwks.keys = []
    clock.now += FRESH_FOR.total_seconds()
    assert await keys.find("ec") is None  # an empty list is an answer


@pytest.mark.parametrize("mood", BAD_DAYS)
async def test_no_key_comes_from_a_bad_day(keys: SigningKeys, jwks: Jwks, mood: str) -> None:
    jwks.mood = mood
    for kid in ("ec", "evil"):
        assert await keys.find(kid) is None


async def test_keys_that_nobody_could_confirm_for_a_day_end(
    keys: SigningKeys, jwks: Jwks, clock: Clock
) -> None:
    await keys.find("ec")
    jwks.mood = "down"
    clock.now += KEPT_FOR.total_seconds() + 1
    assert await keys.find("ec") is None


async def test_an_address_that_hangs_delays_one_and_the_loop_turns(
    keys: SigningKeys, jwks: Jwks, clock: Clock
) -> None:
    await keys.find("ec")
    clock.now += FRESH_FOR.total_seconds() + 1
    jwks.mood = "hanging"
    begun = time.monotonic()
    first = asyncio.ensure_future(keys.find("ec"))
    await asyncio.sleep(0.1)
    assert await keys.find("ec") is not None
    assert time.monotonic() - begun < 1
    assert not first.done()
    assert await first is not None
    assert time.monotonic() - begun < FETCH_WITHIN.total_seconds() + 1


def test_only_public_keys_of_the_two_kinds_are_taken() -> None:
    good = public("good", EC_KEY)
    private = {"kty": "EC", "crv": "P-256", "d": "AQ"} | good | {"kid": "private", "d": "AQ"}
    rows = [
        good,
        public("rsa", RSA_KEY),
        private,
        {"kty": "oct", "kid": "oct", "k": "c2VjcmV0", "alg": "HS256"},
        public("small", rsa.generate_private_key(public_exponent=65537, key_size=1024)),  # noqa: S505 - the point
        public("curve", ec.generate_private_key(ec.SECP384R1())),
        good | {"kid": "enc", "use": "enc"},
        good | {"kid": "confused", "alg": "HS256"},
        good | {"kid": "broken", "x": "!"},
        good | {"kid": 7},
        {"kid": "empty"},
    ]
    found = keys_of(json.dumps({"keys": rows}).encode())
    assert set(found) == {"good", "rsa"}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"keys": [7]}', b"[" * 100_000, b"\xff"])
def test_what_is_no_document_says_so(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        keys_of(body)
