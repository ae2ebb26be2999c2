"""The doctor's lines, by topic; `checking.run_checks` puts them together."""
