"""The bot's tables: presets, statements prepared and checked, the guarded updates."""
