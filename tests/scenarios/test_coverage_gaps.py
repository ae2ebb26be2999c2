"""What nobody watches is said by an incident, and heals when it is watched."""

from tests.scenarios.setting import Setting


async def test_rows_of_an_unknown_profile_are_a_coverage_gap(setting: Setting) -> None:
    await setting.position("x1", "SOL/USDT:USDT", "long", "1", profile_id="nobody")
    await setting.once()
    for _ in range(3):
        await setting.once()
    assert await setting.incidents() == [("coverage_gap", "SEV-3", "open")]
    told = await setting.row("select title, details from reconciler.incidents")
    assert "nobody" in told["details"]["gaps"][0]
    await setting.connection.execute("delete from bot.positions")
    for _ in range(3):
        await setting.once()
    assert await setting.incidents() == [("coverage_gap", "SEV-3", "resolved")]


async def test_an_account_that_nobody_configured_is_named_and_told_when_more_appear(
    setting: Setting,
) -> None:
    await setting.profile("p2", "elsewhere")
    for _ in range(3):
        await setting.once()
    await setting.profile("p3", "nowhere")
    await setting.once()
    told = await setting.row("select details from reconciler.incidents")
    assert told["details"]["gaps"] == [
        "accounts that profiles name and the configuration lacks: elsewhere, nowhere"
    ]


async def test_a_described_venue_without_gaps_opens_nothing(setting: Setting) -> None:
    for _ in range(3):
        await setting.once()
    assert await setting.incidents() == []
