"""Hyperliquid (perpetuals and spot), by wallet address alone, as its docs and ccxt 4.5.90 have it.

Sources (hyperliquid.gitbook.io, info endpoint): every question is a POST to /info, told apart by
its `type`, and needs no key: an address is enough. A private key is refused (see `connection`):
with one, ccxt itself signs and posts approvals when it loads markets.
- frontendOpenOrders: all of an address's orders, trigger orders too, in one answer, of the default
  dex; a row has no status, as it is open.
- clearinghouseState: `assetPositions`, sizes signed and in base units, one way only.
- orderStatus: by oid or cloid (0x and 32 hex digits); {"status": "unknownOid"}. The 2000 most
  recent orders are kept, open ones and ended ones.
- userFillsByTime: 2000 a page, oldest first; the 10 000 most recent.
"""

from reconciler.domain.snapshot import ScopeName
from reconciler.venue.description import (
    AnswerShape,
    FillsCall,
    ListingCall,
    LookupCall,
    NotFoundWords,
    Paging,
    StatusWords,
    VenueDescription,
)
from reconciler.venue.descriptions.retention import retention_of

_USER = {"user": "walletAddress"}

HYPERLIQUID = VenueDescription(
    venue="hyperliquid",
    listings=(
        ListingCall(
            scope=ScopeName.OPEN_ORDERS,
            method="publicPostInfo",
            params={"type": "frontendOpenOrders"},
            account_params=_USER,
            rows_at=(),
        ),
        ListingCall(
            scope=ScopeName.POSITIONS,
            method="publicPostInfo",
            params={"type": "clearinghouseState"},
            account_params=_USER,
            rows_at=("assetPositions",),
        ),
    ),
    lookups=(LookupCall(), LookupCall(by_client_order_id=True)),
    order_id_form=r"\d{1,20}",
    client_order_id_form=r"0x[0-9a-f]{32}",
    fills=(
        FillsCall(
            method="publicPostInfo",
            params={"type": "userFillsByTime"},
            account_params=_USER,
            rows_at=(),
            paging=Paging(
                size=2000, cursor_param="startTime", cursor_row_at="time", row_id_at="tid"
            ),
            since_param="startTime",
            client_order_id_at="cloid",
        ),
    ),
    shapes=(
        AnswerShape(path="/info", asked="metaAndAssetCtxs", rows_at=(), may_be_empty=False),
        AnswerShape(path="/info", asked="spotMetaAndAssetCtxs", rows_at=(), may_be_empty=False),
        AnswerShape(path="/info", asked="frontendOpenOrders", rows_at=()),
        AnswerShape(path="/info", asked="clearinghouseState", rows_at=("assetPositions",)),
        AnswerShape(path="/info", asked="orderStatus", keys=("order.order.oid", "order.status")),
        AnswerShape(path="/info", asked="userFillsByTime", rows_at=()),
    ),
    status=StatusWords(
        # A row of the listing has none: it is open.
        meaning={"": "open", "scheduledCancel": "canceled"},
    ),
    not_found=(NotFoundWords(words="unknownOid"),),
    options={
        "fetchMarkets": {"types": ["spot", "swap"]},
        "adjustForTimeDifference": False,
        # ccxt fills these in with currencies, which are not loaded, and copies them with markets.
        "hip3TokensByName": {},
        "cachedCurrenciesById": {},
    },
    retention=retention_of("hyperliquid"),
    not_covered=(
        "balances, which are what a spot account holds",
        "builder-deployed (HIP-3) markets, subaccounts and vaults",
    ),
)
