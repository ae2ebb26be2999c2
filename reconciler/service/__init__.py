"""The composition root: only here are adapters built and wired."""
