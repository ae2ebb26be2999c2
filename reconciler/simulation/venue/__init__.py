"""A venue that speaks Binance USD-M futures, with ledgers to set and faults to suffer."""

from reconciler.simulation.venue.faults import Fault, FaultKind, FaultRule
from reconciler.simulation.venue.ledger import Ledger
from reconciler.simulation.venue.markets import DEFAULT_MARKETS, Market, generate_markets
from reconciler.simulation.venue.records import Fill, Order, Position, Refused, TriggerOrder
from reconciler.simulation.venue.server import Account, SimulatedVenue

__all__ = [
    "DEFAULT_MARKETS",
    "Account",
    "Fault",
    "FaultKind",
    "FaultRule",
    "Fill",
    "Ledger",
    "Market",
    "Order",
    "Position",
    "Refused",
    "SimulatedVenue",
    "TriggerOrder",
    "generate_markets",
]
