"""The desk: one implementation of every operation, beneath command line and HTTP.

Each is a coroutine of a `Desk`; what changes something also takes the `Actor`, is one transaction
with its row in `reconciler.operations`, and answers `Done`. Answers are the frozen values of
`answers`; what cannot be done raises the errors of `errors`.

| module | operations |
|---|---|
| `listing` | `list_incidents`, `show_incident`, `list_operations` |
| `resolving` | `acknowledge`, `resolve` |
| `messages` | `write_message` |
| `root_cause` | `write_root_cause` |
| `exporting` | `export_bundle`, `export_test` |
| `replaying` | `replay` (pure: a bundle as JSON, no database) |
| `quarantine` | `list_quarantine`, `show_quarantined`, `add_to_quarantine`, `resolve_quarantined` |
| `orders` | `list_orders`, `show_order` |
| `profiles` | `list_profiles`, `show_profile`, `reenable` |
| `accounts` | `list_accounts`, `pause`, `resume` |
| `guards` | `list_guards`, `accept` |
| `positions` | `list_positions` |
| `closing` | `close_position`: writes at the venue, under policy |
| `cancelling` | `cancel_order`: as above |
| `ignores` | `list_ignores`, `add_ignore`, `remove_ignore` |
| `passes` | `request_pass` |
"""
