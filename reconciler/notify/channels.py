"""The channels: Apprise URLs, or the log where none is configured."""

import asyncio
import hashlib
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import structlog

from reconciler.notify.messages import Message, word_of

log = structlog.get_logger("reconciler.notify")
T = TypeVar("T")

HANGING_AT_MOST = 3
"""Attempts of one channel under way: one that is given up goes on in its thread until the receiver
ends it, which one that gives a byte a second never does."""

Send = Callable[[Message], Awaitable[str | None]]
"""Delivers one message to one channel; why it could not, or None."""


def channels_of(urls: Sequence[str]) -> dict[str, Send]:
    """The configured channels, or the log. Named by a fingerprint: the URLs carry tokens."""
    if not urls:
        return {"log": send_to_log}
    return {name_of(url): _send_by_apprise(url) for url in urls}


def name_of(url: str) -> str:
    """A name that stays over restarts and tells no secret."""
    scheme = url.partition("://")[0]
    return f"{scheme}-{hashlib.sha256(url.encode()).hexdigest()[:12]}"


async def send_to_log(message: Message) -> str | None:
    """No channel is configured: the log is the channel."""
    for payload in message.payloads:
        severity, word = payload.get("severity", ""), word_of(payload.get("event"))
        facts = {k: payload.get(k) for k in ("incident_id", "account", "kind")}
        log.warning(f"[Notify] {severity} {word}: {payload.get('title', '')}", **facts)
    return None


def _send_by_apprise(url: str) -> Send:
    turns = threading.BoundedSemaphore(HANGING_AT_MOST)

    def attempt(message: Message) -> bool | str:
        if not turns.acquire(blocking=False):
            return f"{HANGING_AT_MOST} earlier attempts have not ended yet"
        try:
            return _notify(url, message)
        finally:
            turns.release()

    async def send(message: Message) -> str | None:
        took = await in_thread(lambda: attempt(message))
        return None if took is True else f"{name_of(url)}: {took or 'refused or unreachable'}"

    return send


def _notify(url: str, message: Message) -> bool | str:
    """Blocking. Markdown to channels that render it, plain text to the others."""
    import apprise  # noqa: PLC0415 - 0.3 s, needed by those who configured a channel only

    channel: Any = apprise.Apprise.instantiate(url, suppress_exceptions=True)
    if channel is None:
        return "not an Apprise URL"
    formats = channel.notify_format  # one, or (webhooks) every one that it takes
    formats = formats if isinstance(formats, tuple) else (formats,)
    is_plain = apprise.NotifyFormat.TEXT in formats
    return bool(
        channel.notify(
            title=message.title,
            body=message.text if is_plain else message.markdown,
            body_format=apprise.NotifyFormat.TEXT if is_plain else apprise.NotifyFormat.MARKDOWN,
        )
    )


async def in_thread(work: Callable[[], T]) -> T:
    """Run blocking work in a thread that nobody waits for: a channel that hangs must not hold
    back the end of the process, as asyncio's own threads do.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]  # None only beside an error, or as T

    def run() -> None:
        try:
            result, error = work(), None
        except Exception as raised:  # noqa: BLE001 - handed over to who waits
            result, error = None, raised
        try:
            loop.call_soon_threadsafe(settle, result, error)
        except RuntimeError:  # the loop is closed: nobody waits any more
            return

    threading.Thread(target=run, name="notify", daemon=True).start()
    return await done
