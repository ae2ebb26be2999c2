"""`python -m reconciler.simulation.venue --port 0`: the venue as its own process."""

import argparse
import asyncio
import json
import signal
import sys

from reconciler.simulation.venue.markets import DEFAULT_MARKETS, generate_markets
from reconciler.simulation.venue.server import SimulatedVenue


async def serve(*, port: int, accounts: list[str], extra_markets: int) -> None:
    """Serve until SIGTERM or SIGINT; the first line on stdout is JSON with the `base_url`."""
    markets = (*DEFAULT_MARKETS, *generate_markets(extra_markets))
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    venue = SimulatedVenue(markets=markets, port=port)
    for label in accounts:
        venue.add_account(label)
    async with venue:
        shown = {
            account.label: {"api_key": account.api_key, "secret": account.secret}
            for account in venue.accounts.values()
        }
        sys.stdout.write(json.dumps({"base_url": venue.base_url, "accounts": shown}) + "\n")
        sys.stdout.flush()
        await stop.wait()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m reconciler.simulation.venue")
    parser.add_argument("--port", type=int, default=0, help="0: a free one")
    parser.add_argument("--account", action="append", help="label; may be given several times")
    parser.add_argument("--extra-markets", type=int, default=0, help="made-up markets to list")
    given = parser.parse_args()
    asyncio.run(
        serve(
            port=given.port,
            accounts=given.account or ["main"],
            extra_markets=given.extra_markets,
        )
    )


if __name__ == "__main__":
    main()
