"""The channels: Apprise URLs, or the log where none is configured."""

import asyncio
import hashlib
import re
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
SEVERAL = 2

Send = Callable[[Message], Awaitable[str | None]]
"""Delivers one message to one channel; why it could not, or None."""


def channels_of(urls: Sequence[str]) -> dict[str, Send]:
    """The configured channels, or the log. Named by a fingerprint: the URLs carry tokens."""
    if not urls:
        return {"log": send_to_log}
    return {
        name_of(name): _send_by_apprise(name, address)
        for url in urls
        for name, address in _addresses_of(url)
    }


def _addresses_of(url: str) -> list[tuple[str, str | dict[str, Any]]]:
    """One for each target, where Apprise's own reading tells them apart: it says of several only
    whether all were reached, and those that were would be told again.
    """
    import apprise  # noqa: PLC0415 - 0.3 s, needed by those who configured a channel only

    plugins: Any = apprise.plugins
    read: dict[str, Any] = plugins.url_to_dict(url) or {}
    targets = read.get("targets")
    if not isinstance(targets, list | tuple) or not all(isinstance(t, str) for t in targets):
        return [(url, url)]
    names = list(dict.fromkeys(name for t in targets for name in re.split(r"[,\s]+", t) if name))
    each = [(f"{url}|{name}", {**read, "targets": [name]}) for name in names]
    whole, *parts = (
        apprise.Apprise.instantiate(dict(one), suppress_exceptions=True)
        for one in (read, *(one for _, one in each))
    )
    told_apart = whole is not None and SEVERAL <= len(parts) <= len(whole)
    if not told_apart or any(part is None or len(part) != 1 for part in parts):
        return [(url, url)]
    return list(each)


def name_of(url: str) -> str:
    """A name that stays over restarts and tells no secret."""
    scheme = url.partition("://")[0]
    return f"{scheme}-{hashlib.sha256(url.encode()).hexdigest()[:12]}"


def is_known(url: str) -> bool:
    """Whether Apprise has a service of this scheme, and what follows is enough for it."""
    import apprise  # noqa: PLC0415 - 0.3 s, needed by those who configured a channel only

    return apprise.Apprise.instantiate(url, suppress_exceptions=True) is not None


async def send_to_log(message: Message) -> str | None:
    """No channel is configured: the log is the channel."""
    for payload in message.payloads:
        severity, word = payload.get("severity", ""), word_of(payload.get("event"))
        facts = {k: payload.get(k) for k in ("incident_id", "account", "kind")}
        log.warning(f"[Notify] {severity} {word}: {payload.get('title', '')}", **facts)
    return None


def _send_by_apprise(name: str, address: str | dict[str, Any]) -> Send:
    turns = threading.BoundedSemaphore(HANGING_AT_MOST)

    def attempt(message: Message) -> bool | str:
        if not turns.acquire(blocking=False):
            return f"{HANGING_AT_MOST} earlier attempts have not ended yet"
        try:
            return _notify(address, message)
        finally:
            turns.release()

    async def send(message: Message) -> str | None:
        took = await in_thread(lambda: attempt(message))
        return None if took is True else f"{name_of(name)}: {took or 'refused or unreachable'}"

    return send


def _notify(address: str | dict[str, Any], message: Message) -> bool | str:
    """Blocking. Markdown to channels that render it, plain text to the others."""
    import apprise  # noqa: PLC0415 - 0.3 s, needed by those who configured a channel only

    made_of = address if isinstance(address, str) else dict(address)
    channel: Any = apprise.Apprise.instantiate(made_of, suppress_exceptions=True)
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
