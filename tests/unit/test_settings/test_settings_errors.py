"""What people read when the configuration is wrong."""

from pathlib import Path

import pytest

from reconciler.settings import ConfigurationError, load_settings

from .conftest import Refuse

DURATION = (
    'expected a duration such as "500ms", "60s", "15m", "24h", "1h30m" or "2d" '
    "(a number is seconds)"
)
STATES = (
    "expected 'in_flight', 'open', 'partially_filled', 'canceling', 'filled', 'canceled', "
    "'expired', 'rejected' or 'unknown'"
)
MAIN = '[accounts.main]\nvenue = "okx"\n'


@pytest.mark.parametrize(
    ("toml", "line"),
    [
        ('mode = "on"', "1: mode: given \"on\", expected 'enforce' or 'observe'"),
        (
            '[schedule]\nreconciliation = "60x"',
            f'2: schedule.reconciliation: given "60x", {DURATION}',
        ),
        (
            "[orders]\nstale_after = 0",
            f"2: orders.stale_after: given 0, {DURATION}, longer than zero",
        ),
        (
            "[positions]\nconfirmations = 0",
            "2: positions.confirmations: given 0, expected a number greater than or equal to 1",
        ),
        (
            '[positions]\ncontain = ["ghost"]',
            (
                "2: positions.contain[0]: given \"ghost\", expected 'ghost_position', "
                "'side_mismatch', 'quantity_mismatch' or 'phantom_position'"
            ),
        ),
        ("[positions]\ncontain = 5", "2: positions.contain: expected a list"),
        (
            '[positions]\ntolerance_notional = "a lot"',
            '2: positions.tolerance_notional: given "a lot", expected a number',
        ),
        (
            "[positions]\ntolerance_notional = nan",
            "2: positions.tolerance_notional: given NaN, expected a finite number",
        ),
        (
            "[guards]\nmax_share = 0",
            "2: guards.max_share: given 0, expected a number greater than 0",
        ),
        (
            "[guards]\nmax_share = 1.5",
            "2: guards.max_share: given 1.5, expected a number less than or equal to 1",
        ),
        ("[guards]\nmax_count = true", "2: guards.max_count: given true, expected a number"),
        (
            "[http]\nport = 65536",
            "2: http.port: given 65536, expected a number less than or equal to 65535",
        ),
        ('[http]\nport = "x"', '2: http.port: given "x", expected a whole number'),
        ("[http]\nhost = 5", "2: http.host: given 5, expected text"),
        ('[http]\nhost = ""', '2: http.host: given "", expected text that is not empty'),
        ("http = 5", "1: http: expected a table"),
        ("accounts = 5", "1: accounts: expected a table"),
        (
            "[accounts.main]\nuid = '1'",
            '1: accounts.main.venue: missing. The venue\'s ccxt id, such as "binanceusdm".',
        ),
        (
            '[accounts.main]\nvenue = "Binance!"',
            (
                '2: accounts.main.venue: given "Binance!", '
                'expected a ccxt id: lower-case letters and digits, such as "binanceusdm"'
            ),
        ),
        (
            '[accounts."a b"]\nvenue = "okx"',
            '1: accounts."a b": expected a name of letters, digits, and after the first also _ . -',
        ),
        (
            MAIN + 'sandbox = "perhaps"',
            '3: accounts.main.sandbox: given "perhaps", expected true or false',
        ),
        (
            MAIN + 'base_url = "localhost"',
            (
                '3: accounts.main.base_url: given "localhost", '
                "expected a URL such as https://host:port"
            ),
        ),
        (
            MAIN + 'book = "other"',
            '3: accounts.main.book: given "other", expected one of the books main',
        ),
        (
            MAIN + '[books.a]\npreset = "native"\n[books.b]',
            "1: accounts.main.book: expected one of the books a, b",
        ),
        (
            '[book]\npreset = "native"\n[books.main]',
            "3: books.main: give [book] or [books.main], not both: they are the same book",
        ),
        (
            '[book]\ntimezone = "Mars/Phobos"',
            (
                '2: book.timezone: given "Mars/Phobos", '
                'expected the IANA name of a time zone known here, such as "Europe/Berlin"'
            ),
        ),
        (
            '[book]\nvocabulary = { done_for_day = "done" }',
            f'2: book.vocabulary.done_for_day: given "done", {STATES}',
        ),
        ('[book.write]\ndone = "x"', f"2: book.write.done: {STATES}"),
        (
            "[[maintenance.okx]]\ncron = '0 3 * *'\nduration = '1h'",
            (
                '1: maintenance.okx[0].cron: given "0 3 * *", expected five cron fields '
                '(minute hour day month weekday), such as "0 3 * * 2"'
            ),
        ),
        (
            '[policy]\nclose_ghosts = "operator"',
            '2: policy.close_ghosts: given "operator", needs policy.close_max_notional beside it',
        ),
        (
            '[api.tokens.ann]\nhash = "my-token"',
            (
                "2: api.tokens.ann.hash: given ***, "
                "expected the token's hash, `sha256:` and 64 hexadecimal digits, never the token"
            ),
        ),
        (
            '[notifications]\nurls = ["slack"]',
            (
                "2: notifications.urls[0]: given ***, "
                "expected an Apprise URL, such as slack://… or json://host/path"
            ),
        ),
    ],
)
def test_says_where_which_key_what_was_given_and_what_is_accepted(
    refuse: Refuse, toml: str, line: str
) -> None:
    assert refuse(toml) == [f"reconciler.toml:{line}"]


@pytest.mark.parametrize(
    ("toml", "environ", "meant"),
    [
        ("[schedule]\nreconcilation = 5", {}, "schedule.reconciliation"),
        ('[account.main]\nvenue = "okx"', {}, "accounts"),
        ("stale_after = 5", {}, "orders.stale_after"),
        ('[accounts.main]\nvenue = "okx"\napi_kye = "x"', {}, "accounts.main.api_key"),
        (None, {"RECONCILER_MOD": "x"}, "RECONCILER_MODE"),
        (None, {"RECONCILER_HTTP__PROT": "1"}, "RECONCILER_HTTP__PORT"),
        (None, {"RECONCILER_HTTP_PORT": "1"}, "RECONCILER_HTTP__PORT"),
        (
            None,
            {"RECONCILER_ACCOUNTS_MAIN_API_KEY": "1"},
            "RECONCILER_ACCOUNTS__<NAME>__API_KEY",
        ),
    ],
)
def test_an_unknown_key_is_an_error_with_the_nearest(
    refuse: Refuse, toml: str | None, environ: dict[str, str], meant: str
) -> None:
    [line] = refuse(toml, **environ)
    assert f": unknown key; did you mean {meant}? (accepted: " in line


def test_an_unknown_key_like_no_other_lists_what_is_accepted(refuse: Refuse) -> None:
    assert refuse("[http]\nxyzzy = 1") == [
        "reconciler.toml:2: http.xyzzy: unknown key (accepted: host, port)"
    ]


@pytest.mark.parametrize("key", ["_env_file", "_cli_parse_args", "_secrets_dir", "self"])
def test_keys_that_pydantic_settings_would_obey_are_unknown(refuse: Refuse, key: str) -> None:
    [line] = refuse(f'{key} = ["--mode", "observe"]')
    assert line.startswith(f"reconciler.toml:1: {key}: unknown key")
    [line] = refuse(**{f"RECONCILER_{key}": "x"})
    assert line.startswith(f"RECONCILER_{key}: ")


def test_a_file_named_like_a_variable_is_not_taken_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("reconciler_prod").write_text("[http]\nprot = 1", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"did you mean http\.port\?"):
        load_settings(Path("reconciler_prod"), environ={"RECONCILER_SECRETS_DIR": "."})


@pytest.mark.parametrize(
    ("environ", "line"),
    [
        (
            {"RECONCILER_MODE__X": "1"},
            "RECONCILER_MODE__X: mode can only be given as one value",
        ),
        (
            {"RECONCILER_POSITIONS__CONTAIN__0": "x"},
            "RECONCILER_POSITIONS__CONTAIN__0: positions.contain can only be given whole, as JSON",
        ),
        (
            {"RECONCILER_BOOK__VOCABULARY__NEW": "open"},
            "RECONCILER_BOOK__VOCABULARY__NEW: book.vocabulary can only be given whole, as JSON",
        ),
        (
            {"RECONCILER_NOTIFICATIONS__URLS": "slack://hush"},
            'RECONCILER_NOTIFICATIONS__URLS: notifications.urls: expected JSON, such as ["…"]',
        ),
        (
            {"RECONCILER_ACCOUNTS": '{"main": {"secret": "hush"'},
            'RECONCILER_ACCOUNTS: accounts: expected JSON, such as {"…": "…"}',
        ),
        ({"RECONCILER_ACCOUNTS": '"hush"'}, "RECONCILER_ACCOUNTS: accounts: expected a table"),
    ],
)
def test_what_a_variable_cannot_say(refuse: Refuse, environ: dict[str, str], line: str) -> None:
    assert refuse(**environ) == [line]


def test_a_wrong_table_in_the_file_is_not_papered_over_by_a_variable(refuse: Refuse) -> None:
    wrong = "http = 5\nauth = 6\ndatabase = 7"
    lines = refuse(
        wrong,
        RECONCILER_HTTP__PORT="1",
        SUPABASE_URL="https://a.b",
        DATABASE_URL="postgresql://h/d",
    )
    assert lines == [
        "reconciler.toml:3: database: expected a table",
        "reconciler.toml:1: http: expected a table",
        "reconciler.toml:2: auth: expected a table",
    ]


def test_everything_wrong_is_said_at_once(refuse: Refuse) -> None:
    lines = refuse(
        'mode = "on"\n[schedule]\nreconcilation = 5\nauth_probe = 0\n[accounts.main]\n',
        files={"reconciler_http__port": "x"},
        RECONCILER_GUARDS__MAX_SHARE="7",
        RECONCILER_NONSENSE="1",
        RECONCILER_ORDERS="no json",
        DATABASE_URL="mysql://h/d",
    )
    assert [line.split(": ")[0] for line in lines] == [
        "RECONCILER_ORDERS",
        "reconciler.toml:1",
        "DATABASE_URL",
        "secrets/reconciler_http__port",
        "reconciler.toml:4",
        "reconciler.toml:3",
        "RECONCILER_GUARDS__MAX_SHARE",
        "reconciler.toml:5",
        "RECONCILER_NONSENSE",
    ]


def test_lines_are_found_past_statements_of_many_lines(refuse: Refuse) -> None:
    toml = '''
[book.profiles]
select = """
SELECT id
[http]
port = 'x'
"""
[http]
port = "x"
'''
    assert refuse(toml) == ['reconciler.toml:9: http.port: given "x", expected a whole number']
