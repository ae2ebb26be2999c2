"""What the simulated venue says of a key's rights, in Binance's words; it acts on none of them."""

from collections.abc import Iterable

READS = "enableReading"
RIGHTS = (
    READS,
    "enableWithdrawals",
    "enableInternalTransfer",
    "enableMargin",
    "enableFutures",
    "permitsUniversalTransfer",
    "enableVanillaOptions",
    "enableFixApiTrade",
    "enableFixReadOnly",
    "enableSpotAndMarginTrading",
    "enablePortfolioMarginTrading",
)
"""As `GET /sapi/v1/account/apiRestrictions` names them."""


def checked(rights: Iterable[str]) -> frozenset[str]:
    """These rights, and reading. Raises ValueError for one that Binance does not have."""
    given = frozenset(rights)
    unknown = sorted(given - set(RIGHTS))
    if unknown:
        raise ValueError(f"no right {unknown[0]}; there are {', '.join(RIGHTS)}")
    return given | {READS}


def rights_row(rights: frozenset[str]) -> dict[str, object]:
    """The answer about a key that has these rights."""
    told: dict[str, object] = {"ipRestrict": False, "createTime": 1_700_000_000_000}
    return told | {right: right in rights for right in RIGHTS}
