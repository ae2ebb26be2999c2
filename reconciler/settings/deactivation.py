"""How a bot is told to enter no more trades, where no row of its book decides that."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal, Self

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from reconciler.settings.durations import Interval
from reconciler.settings.values import Secret, Section, Text, WebUrl

Driver = Literal["sql", "freqtrade_rest", "freqtrade_pairlock", "webhook"]

_NEEDED: Mapping[str, tuple[str, ...]] = {
    "sql": (),
    "freqtrade_rest": ("url", "username", "password"),
    "freqtrade_pairlock": (),
    "webhook": ("url", "secret"),
}
_ALSO_TAKEN: Mapping[str, tuple[str, ...]] = {
    "sql": (),
    "freqtrade_rest": (),
    "freqtrade_pairlock": ("pairs", "lock_for"),
    "webhook": ("confirm_url", "inactive_statuses"),
}


class DeactivationSettings(Section):
    """`[book.deactivation]`: how a profile is deactivated. Each driver takes its own keys."""

    driver: Driver
    """`sql`: the book's own UPDATE. `freqtrade_rest`: its API server. `freqtrade_pairlock`: a row
    in its table `pairlocks`. `webhook`: a signed POST to your bot."""

    url: WebUrl | None = None
    """`freqtrade_rest`: the API server, such as http://127.0.0.1:8080. `webhook`: where it is
    posted."""

    username: Text | None = None
    """`freqtrade_rest`: `api_server.username` of the bot."""

    password: Secret | None = None
    """`freqtrade_rest`: `api_server.password` of the bot."""

    secret: Secret | None = None
    """`webhook`: the key of the signature."""

    confirm_url: WebUrl | None = None
    """`webhook`: where the status is read back; `{profile_id}` stands for the profile. None: by
    `profiles.select` of the book."""

    inactive_statuses: tuple[Text, ...] | None = None
    """`webhook`: the words of `confirm_url` and of the book for a profile that enters no trade, in
    any case. None: inactive, disabled, paused, stopped, archived, deleted, off, false."""

    pairs: Literal["all", "ghost"] = "all"
    """`freqtrade_pairlock`: what is locked: `all` pairs, or the pair of the ghost alone."""

    lock_for: Interval = timedelta(days=30)
    """`freqtrade_pairlock`: how far ahead the lock ends; while it is asked for it is prolonged once
    half of that is gone. A lock that ends while no daemon runs lets the bot trade again."""

    @model_validator(mode="after")
    def _of_its_driver(self) -> Self:
        needed = _NEEDED[self.driver]
        accepted = ("driver", *needed, *_ALSO_TAKEN[self.driver])
        # Keys of another driver would be obeyed by nobody.
        if strange := sorted(self.model_fields_set - set(accepted)):
            raise PydanticCustomError(
                "setting",
                'not for driver "{driver}" (accepted: {accepted})',
                {
                    "driver": self.driver,
                    "accepted": ", ".join(accepted),
                    "at": [(each,) for each in strange],
                },
            )
        if self.driver == "freqtrade_rest" and self.username and ":" in self.username:
            raise PydanticCustomError(
                "setting", "expected a name without a colon", {"at": [("username",)]}
            )
        if missing := [each for each in needed if getattr(self, each) is None]:
            raise PydanticCustomError(
                "setting",
                'driver "{driver}" needs {missing} beside it',
                {"driver": self.driver, "missing": ", ".join(missing)},
            )
        return self
