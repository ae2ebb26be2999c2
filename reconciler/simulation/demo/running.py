"""One demo from its first to its last moment. However it ends, nothing is left behind."""

import asyncio
from typing import NoReturn

from reconciler.simulation.demo.performance import Performance
from reconciler.simulation.demo.stage import Show, staged
from reconciler.simulation.demo.story import STORY, tell_story


async def run_demo(
    performance: Performance,
    show: Show,
    *,
    server_url: str | None,
    asked: asyncio.Event,
    ends_at: float | None,
) -> BaseException | None:
    """Play until `asked`, or until the event loop's time `ends_at`; what went wrong is returned.

    `server_url`: a Postgres server where a database of our own may be made; None: a private one.
    """
    performance.titles = tuple(chapter.title for chapter in STORY)
    playing = asyncio.create_task(_play(performance, show, server_url))
    waiting = asyncio.create_task(asked.wait())
    left = None if ends_at is None else max(0.0, ends_at - asyncio.get_running_loop().time())
    try:
        await asyncio.wait({playing, waiting}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        playing.cancel()
        await asyncio.wait({playing})
        show.close()
    return None if playing.cancelled() else _first(playing.exception())


async def _play(performance: Performance, show: Show, server_url: str | None) -> NoReturn:
    async with staged(performance, show, server_url=server_url) as stage:
        await tell_story(stage, performance, show)
        show.say("the story is over; the bot goes on trading")
        while True:
            show.say(await stage.bot.trade_a_little(), who="bot")
            await stage.bot.pause()


def _first(error: BaseException | None) -> BaseException | None:
    """The error itself, out of the groups of the tasks it went through."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
