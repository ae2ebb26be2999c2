"""A simulated Supabase over real HTTP: gateway, GoTrue and PostgREST, as far as sign-in needs."""

from reconciler.simulation.supabase.keys import ProjectKeys
from reconciler.simulation.supabase.server import Forced, SimulatedSupabase
from reconciler.simulation.supabase.users import User

__all__ = ["Forced", "ProjectKeys", "SimulatedSupabase", "User"]
