"""The accounts to watch: one table per set of credentials."""

from datetime import timedelta

from pydantic import Field

from reconciler.settings.durations import Interval
from reconciler.settings.values import Name, Options, Secret, Section, Share, Text, Venue, WebUrl


class IgnoreSettings(Section):
    """`[accounts.<name>.ignore]`: known manual positions and orders, never judged."""

    symbols: tuple[Text, ...] = ()
    """Symbols whose positions and orders people keep by hand, as ccxt or the venue writes them."""

    venue_order_ids: tuple[Text, ...] = ()
    """The venue's ids of orders that people placed by hand."""


class AccountSettings(Section):
    """`[accounts.<name>]`: one set of API credentials at one venue; read-only keys are enough."""

    venue: Venue
    """The venue's ccxt id, such as "binanceusdm"."""

    api_key: Secret | None = None
    """The API key. Give the daemon one of its own: some venues count nonces per key."""

    secret: Secret | None = None
    """The API secret, or the private key in PEM where the venue signs with one."""

    password: Secret | None = None
    """The passphrase, at venues that ask for one (OKX, KuCoin, Bitget)."""

    uid: Text | None = None
    """The user or customer number, at venues that ask for one; not a secret."""

    wallet_address: Text | None = None
    """The public address, at venues that are read by address (Hyperliquid)."""

    private_key: Secret | None = None
    """The wallet's private key. Leave it out: reading never needs it, and with it some adapters
    sign approvals when they load markets."""

    base_url: WebUrl | None = None
    """Another host that speaks the venue's API (simulator, proxy); None: the venue itself."""

    sandbox: bool = False
    """Use the venue's test network."""

    symbols: tuple[Text, ...] | None = None
    """Only these symbols are judged; what is left out is reported as not covered. None: all."""

    client_order_id_prefix: Text | None = None
    """On a shared account, orders whose client id starts so are ours. None: all orders are."""

    ignore: IgnoreSettings = IgnoreSettings()
    """Known manual positions and orders."""

    rate_share: Share = 0.5
    """The share of the venue's rate budget that the daemon may use, above 0 and at most 1; the
    bot needs the rest. Of several accounts at one venue and host the smallest counts. A schedule
    that the budget does not hold is stretched; `check` prints the shortest interval that holds."""

    book: Name = "main"
    """The book that this account's bot keeps: `main` is `[book]`, others are `[books.<name>]`."""

    retention: Interval | None = None
    """How long the venue keeps cancelled orders without fills. None: the built-in table."""

    timeout: Interval = timedelta(seconds=10)
    """Deadline of one HTTP request to the venue: venues answer within a second, or not at all."""

    options: Options = Field(default_factory=dict, repr=False)
    """Passed to the ccxt class as its `options`; for what no other key says. Not for secrets."""
