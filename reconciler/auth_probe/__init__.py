"""The questions that the probe of sign-in asks Supabase and the bot, over HTTP."""
