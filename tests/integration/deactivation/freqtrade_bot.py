"""A real freqtrade bot, run by freqtrade's own python: its worker, bot, API server and tables.

`python freqtrade_bot.py CONFIG`: one JSON file with `db_url`, `port`, `username`, `password`,
`folder`, `initial_state`. Only the exchange is made up, since there is no network: two markets, one
price, and a strategy that wants to enter at every candle. It is dry-run: nothing could be sent.

No test, and never imported by ours: it needs freqtrade, which is not among our packages.
"""

# ruff: noqa: PLC0415, T201 - it is a program of another environment
# mypy: ignore-errors

import json
import logging
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

STRATEGY = """
from freqtrade.strategy import IStrategy

class AlwaysIn(IStrategy):
    timeframe = "1m"
    minimal_roi = {"0": 100}
    stoploss = -0.99
    startup_candle_count = 0

    def populate_indicators(self, dataframe, metadata):
        return dataframe

    def populate_entry_trend(self, dataframe, metadata):
        dataframe["enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        return dataframe
"""
PAIRS = ("BTC/USDT", "ETH/USDT")
PRICE = 100.0


def market(pair: str) -> dict[str, Any]:
    base, quote = pair.split("/")
    return {
        "id": base + quote,
        "lowercaseId": (base + quote).lower(),
        "symbol": pair,
        "base": base,
        "quote": quote,
        "baseId": base,
        "quoteId": quote,
        "settle": None,
        "settleId": None,
        "active": True,
        "type": "spot",
        "spot": True,
        "margin": False,
        "swap": False,
        "future": False,
        "option": False,
        "contract": False,
        "linear": None,
        "inverse": None,
        "contractSize": None,
        "taker": 0.001,
        "maker": 0.001,
        "percentage": True,
        "precision": {"amount": 0.0001, "price": 0.01},
        "limits": {
            "amount": {"min": 0.0001, "max": 10000},
            "price": {"min": None, "max": None},
            "cost": {"min": 1, "max": None},
            "leverage": {"min": None, "max": None},
        },
        "info": {},
    }


def candles() -> Any:
    from pandas import DataFrame, date_range

    now = datetime.now(UTC).replace(second=0, microsecond=0)
    return DataFrame(
        {
            "date": date_range(end=now, periods=50, freq="1min", tz="UTC"),
            "open": PRICE,
            "high": PRICE,
            "low": PRICE,
            "close": PRICE,
            "volume": 1000.0,
        }
    )


def make_up_the_exchange() -> None:
    """In place of what freqtrade would ask of the network."""
    from freqtrade.exchange import Exchange

    def load(self: Any, reload: bool = False) -> None:
        self._api_async.set_markets([market(pair) for pair in PAIRS])

    def latest(self: Any, pair_list: Any, **_: Any) -> Any:
        self._klines = {each: candles() for each in pair_list}
        return self._klines

    def ticker(pair: str) -> dict[str, Any]:
        return {"symbol": pair, "bid": PRICE, "ask": PRICE, "last": PRICE, "quoteVolume": 1e9}

    Exchange._load_async_markets = load
    Exchange.check_time_offset = lambda self: None
    Exchange.refresh_latest_ohlcv = latest
    Exchange.fetch_ticker = lambda self, pair: ticker(pair)
    Exchange.get_tickers = lambda self, *_, **__: {pair: ticker(pair) for pair in PAIRS}
    Exchange.get_fee = lambda self, *_, **__: 0.001
    Exchange.fetch_l2_order_book = lambda self, pair, limit=1: {
        "bids": [[PRICE, 1000.0]],
        "asks": [[PRICE, 1000.0]],
    }


def config_of(given: dict[str, Any]) -> Path:
    folder = Path(given["folder"])
    (folder / "strategies").mkdir(parents=True, exist_ok=True)
    (folder / "strategies" / "always_in.py").write_text(STRATEGY)
    config = {
        "dry_run": True,
        "dry_run_wallet": 1000,
        "initial_state": given["initial_state"],
        "max_open_trades": 2,
        "stake_currency": "USDT",
        "stake_amount": 100,
        "trading_mode": "spot",
        "timeframe": "1m",
        "db_url": given["db_url"],
        "strategy": "AlwaysIn",
        "strategy_path": str(folder / "strategies"),
        "user_data_dir": str(folder),
        "datadir": str(folder / "data"),
        "bot_name": "freqtrade",
        "exchange": {
            "name": "binance",
            "key": "",
            "secret": "",
            "pair_whitelist": list(PAIRS),
            "pair_blacklist": [],
            "enable_ws": False,
        },
        "pairlists": [{"method": "StaticPairList"}],
        "entry_pricing": {"price_side": "other", "use_order_book": False},
        "exit_pricing": {"price_side": "other", "use_order_book": False},
        "unfilledtimeout": {"entry": 10, "exit": 10, "unit": "minutes"},
        "api_server": {
            "enabled": True,
            "listen_ip_address": "127.0.0.1",
            "listen_port": given["port"],
            "verbosity": "error",
            "jwt_secret_key": "of-a-test-and-long-enough-for-hmac",
            "CORS_origins": [],
            "username": given["username"],
            "password": given["password"],
        },
        "internals": {"process_throttle_secs": 1, "heartbeat_interval": 0},
    }
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    return path


def main() -> None:
    given = json.loads(Path(sys.argv[1]).read_text())
    logging.basicConfig(level=logging.INFO)
    make_up_the_exchange()
    from freqtrade.enums import RunMode
    from freqtrade.worker import Worker

    args = {"config": [str(config_of(given))], "user_data_dir": given["folder"]}
    from freqtrade.configuration import Configuration

    config = Configuration(args, RunMode.DRY_RUN).get_config()
    worker = Worker(args, config)
    print("ready", flush=True)
    worker.run()


if __name__ == "__main__":
    main()
