"""`reconciler book init`: look at a bot's database and propose how it is read. Writes nothing."""
