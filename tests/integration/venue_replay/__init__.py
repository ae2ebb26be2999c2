"""The sample answers in ccxt's own sources, replayed through our adapters."""
