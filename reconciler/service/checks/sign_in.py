"""Whether Supabase's address and keys fit, and what one probe says of each step."""

from reconciler.rules.auth_failures import MOST_SKEW, AuthContext, judge_probe
from reconciler.service.assembly import Assembly
from reconciler.service.auth import is_probed, misfits_of, prober_of
from reconciler.service.checks.lines import Level, Line

TOPIC = "sign-in"


async def sign_in_lines(assembly: Assembly) -> list[Line]:
    """Nothing where nothing of `[auth]` is configured."""
    settings = assembly.settings
    lines = [
        Line(level=m.level, what=m.what, says=m.says, mend=m.mend, topic=TOPIC)
        for m in misfits_of(settings)
    ]
    if not is_probed(settings.auth):
        return lines
    context = AuthContext(legacy_secret=settings.auth.jwt_secret is not None)
    judged = judge_probe(await prober_of(settings).probe(), context=context)
    mend = f"{judged.cause}: docs/runbooks/auth-failure.md" if judged.cause else ""
    for step, says in judged.states:
        what = f"sign-in {step}"
        if step in judged.failed:
            lines.append(Line(level="fail", what=what, says=says, mend=mend, topic=TOPIC))
        else:
            level: Level = "warn" if step in judged.undecided else "ok"
            lines.append(Line(level=level, what=what, says=says, topic=TOPIC))
    if judged.clock_skew is not None and abs(judged.clock_skew) > MOST_SKEW:
        lines.append(
            Line(
                level="warn",
                what="clock of Supabase",
                says=f"{judged.clock_skew.total_seconds():+.0f} s from this host",
                mend="synchronise clocks: GoTrue allows no difference",
                topic=TOPIC,
            )
        )
    return lines
