"""Whether Apprise can do anything with the channels. Nothing is sent."""

from reconciler.notify.channels import is_known, name_of
from reconciler.service.assembly import Assembly
from reconciler.service.checks.lines import Line


def channel_lines(assembly: Assembly) -> list[Line]:
    """One for each configured channel; what it is called in the log, since its URL is secret."""
    return [
        _line(number, url.get_secret_value())
        for number, url in enumerate(assembly.settings.notifications.urls)
    ]


def _line(number: int, url: str) -> Line:
    what = f"notifications.urls[{number}]"
    if is_known(url):
        return Line(level="ok", what=what, says=f"channel {name_of(url)}", topic="notifications")
    scheme = url.partition("://")[0]
    return Line(
        level="fail",
        what=what,
        says=f"Apprise can do nothing with this {scheme}:// address: no notice would be sent",
        mend="write it as Apprise's page of the service says; `apprise --dry-run` tells whether "
        "it is read",
        topic="notifications",
    )
