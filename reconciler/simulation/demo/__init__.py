"""`reconciler demo`: the real daemon beside a made-up bot and venue, and a story to watch."""
