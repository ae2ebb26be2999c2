"""How each venue tells the rights of a key, with sources; no entry: it does not tell.

- Binance, developers.binance.com/docs/wallet/account/api-key-permission: one key is for all of
  Binance's wallets; the test networks do not have the call.
- Bybit, bybit-exchange.github.io/docs/v5/user/apikey-info: `readOnly` 1 outweighs the list.
- OKX, docs-v5, GET /account/config: `perm` is `read_only`, `trade`, `withdraw` with commas.
- KuCoin, docs-new, GET /api/v1/user/api-key: `General` reads, `Transfer` withdraws.
- Gate, docs/developers/apiv4, GET /account/main_keys: each right may be read-only by itself.
- Bitget, api-doc/spot/account/Get-Account-Info: words as `coor` and `coow`, the last letter is
  reading or writing; `readonly` and `trade` of older keys. Unknown ones are shown as they are.
- Kraken, docs.kraken.com/api-reference/account-data/get-api-key-info: needs no right itself.
- Coinbase, docs.cdp.coinbase.com, GET /api/v3/brokerage/key_permissions.
- Deribit, docs.deribit.com, private/list_api_keys: `max_scope` as `trade:read_write`.
Alpaca's keys trade always, MEXC and Kraken Futures have no such call.
"""

from collections.abc import Mapping
from typing import Any

from reconciler.venue.key_rights import RightsCall, flags, listed, of_our_row

NO_KEY = frozenset({"hyperliquid"})
"""Read by an address alone: there is nothing that could do more."""
ALWAYS_TRADE = frozenset({"alpaca"})
"""There are no keys that only read."""


def _bybit(answer: Any, _key: str) -> frozenset[str] | None:
    result = answer.get("result") if isinstance(answer, dict) else None
    if not isinstance(result, dict) or str(result.get("readOnly")) not in {"0", "1"}:
        return None
    permissions = result.get("permissions")
    if not isinstance(permissions, dict):
        return None
    if str(result["readOnly"]) == "1":
        return frozenset()
    return frozenset(
        str(word) for words in permissions.values() if isinstance(words, list) for word in words
    )


def _gate(row: Mapping[str, Any]) -> frozenset[str] | None:
    rights = row.get("perms")
    if not isinstance(rights, list) or not all(isinstance(right, dict) for right in rights):
        return None
    return frozenset(str(right.get("name")) for right in rights if not right.get("read_only"))


def _deribit(row: Mapping[str, Any]) -> frozenset[str] | None:
    scope = row.get("max_scope")
    return frozenset(scope.split()) if isinstance(scope, str) else None


_BINANCE = RightsCall(
    method="sapiGetAccountApiRestrictions",
    words=flags(named="(enable|permits).*"),
    reads="enableReading|enableFixReadOnly",
    trades="enable(Futures|SpotAndMarginTrading|Margin|VanillaOptions|PortfolioMarginTrading"
    "|FixApiTrade)",
    withdraws="enableWithdrawals",
    moves="enableInternalTransfer|permitsUniversalTransfer",
)
_KUCOIN = RightsCall(
    method="privateGetUserApiKey",
    words=listed("data", "permission"),
    reads="General",
    trades="Spot|Margin|Futures|Unified|Earn",
    withdraws="Transfer|Withdrawal",
    moves="InnerTransfer|FlexTransfers?",
)

KEY_RIGHTS: Mapping[str, RightsCall] = {
    "binance": _BINANCE,
    "binanceusdm": _BINANCE,
    "binancecoinm": _BINANCE,
    "bybit": RightsCall(
        method="privateGetV5UserQueryApi",
        words=_bybit,
        reads="ExchangeHistory|SubMemberTransferList",
        trades="Order|Position|.*Trade|Earn|.*Order",
        withdraws="Withdraw",
        moves="AccountTransfer|SubMemberTransfer",
    ),
    "okx": RightsCall(
        method="privateGetAccountConfig",
        words=listed("data", "perm"),
        reads="read_only",
        trades="trade",
        withdraws="withdraw",
    ),
    "kucoin": _KUCOIN,
    "kucoinfutures": _KUCOIN,
    "gate": RightsCall(
        method="privateAccountGetMainKeys",
        words=of_our_row(key_at="key", words_of=_gate),
        reads="",
        trades="spot|futures|delivery|options|margin|unified|loan|earn|copy.*",
        withdraws="withdraw.*",
        moves="wallet",
    ),
    "bitget": RightsCall(
        method="privateSpotGetV2SpotAccountInfo",
        words=listed("data", "authorities"),
        reads="readonly|[a-z]{3}r",
        trades="trade|(co|cp|ct|st|sm)[a-z]w",
        withdraws="withdraw.*|w[a-z]{2}w",
        moves="transfer|t[a-z]{2}w",
    ),
    "kraken": RightsCall(
        method="privatePostGetApiKeyInfo",
        words=listed("result", "permissions"),
        reads="query-.*|export-data|access-ws.*",
        trades="(modify|close|add|cancel|create).*(trades|orders)",
        withdraws="withdraw-.*",
        moves="(deposit|earn)-.*",
    ),
    "coinbase": RightsCall(
        method="v3PrivateGetBrokerageKeyPermissions",
        words=flags(named="can_.*"),
        reads="can_view",
        trades="can_trade",
        withdraws="can_transfer",
    ),
    "deribit": RightsCall(
        method="privateGetListApiKeys",
        words=of_our_row("result", key_at="client_id", words_of=_deribit),
        reads=".*:(read|none)|connection|mainaccount",
        trades="(trade|block_trade|block_rfq|custody):read_write",
        withdraws="wallet:read_write",
        moves="account:read_write",
    ),
}
