"""The command line: each command is one file; nothing is judged here."""
