"""Venues through ccxt, read only. `account.CcxtAccount` implements the port `Venue`.

ccxt itself is imported when the first account connects, so that importing this costs nothing.
"""
