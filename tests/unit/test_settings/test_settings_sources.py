"""Where settings come from, and which source wins."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.settings import ConfigurationError, load_settings

from .conftest import Load, Refuse

URL = "postgresql://u:p@host:5432/db"
MAIN = '[accounts.main]\nvenue = "okx"\n'
TOML = '[http]\nhost = "from-toml"\n'
FILE = {"http__host": "from-file"}
ENV = {"RECONCILER_HTTP__HOST": "from-env"}


@pytest.mark.parametrize(
    ("toml", "files", "environ", "host"),
    [
        (None, {}, {}, "127.0.0.1"),
        (TOML, {}, {}, "from-toml"),
        (None, FILE, {}, "from-file"),
        (None, {}, ENV, "from-env"),
        (TOML, FILE, {}, "from-file"),
        (TOML, {}, ENV, "from-env"),
        (None, FILE, ENV, "from-env"),
        (TOML, FILE, ENV, "from-env"),
        (TOML, {"http__host": ""}, {"RECONCILER_HTTP__HOST": " "}, "from-toml"),
    ],
)
def test_environment_over_secret_files_over_toml(
    load: Load, toml: str | None, files: dict[str, str], environ: dict[str, str], host: str
) -> None:
    assert load(toml, files=files, **environ).http.host == host


SECTION = '[database]\nurl = "postgresql://toml/db"\n'
OWN_ENV = {"RECONCILER_DATABASE__URL": "postgresql://own-env/db"}
OWN_FILE = {"database__url": "postgresql://own-file/db"}
FALLBACK_ENV = {"DATABASE_URL": "postgresql://env/db"}
FALLBACK_FILE = {"database_url": "postgresql://file/db\n"}


@pytest.mark.parametrize(
    ("toml", "files", "environ", "host"),
    [
        (None, FALLBACK_FILE, {}, "file"),
        (None, {"DATABASE_URL": "postgresql://file/db"}, {}, "file"),
        (None, FALLBACK_FILE, FALLBACK_ENV, "env"),
        (None, FALLBACK_FILE, {"DATABASE_URL": ""}, "file"),
        (SECTION, FALLBACK_FILE, FALLBACK_ENV, "toml"),
        (None, FALLBACK_FILE | OWN_FILE, FALLBACK_ENV, "own-file"),
        (SECTION, FALLBACK_FILE | OWN_FILE, FALLBACK_ENV | OWN_ENV, "own-env"),
    ],
)
def test_database_url_is_a_fallback(
    load: Load, toml: str | None, files: dict[str, str], environ: dict[str, str], host: str
) -> None:
    url = load(toml, files=files, **environ).database.url
    assert url is not None
    assert url.get_secret_value() == f"postgresql://{host}/db"


def test_no_database_url_at_all_is_allowed(load: Load) -> None:
    assert load().database.url is None


def test_sqlalchemys_form_of_a_database_url_is_understood(load: Load) -> None:
    url = load(DATABASE_URL="postgresql+asyncpg://u:p@h/d").database.url
    assert url is not None
    assert url.get_secret_value() == "postgresql://u:p@h/d"


def test_supabase_names_fill_auth_where_it_says_nothing(load: Load) -> None:
    auth = load(
        '[auth]\nanon_key = "mine"',
        files={"supabase_jwt_secret": "from-file\n"},
        SUPABASE_URL="https://ref.supabase.co/",
        SUPABASE_SERVICE_ROLE_KEY="service",
        SUPABASE_SECRET_KEY="sb_secret_loses",
        SUPABASE_ANON_KEY="theirs",
    ).auth
    assert auth.supabase_url == "https://ref.supabase.co"
    assert auth.service_role_key is not None
    assert auth.service_role_key.get_secret_value() == "service"
    assert auth.anon_key is not None
    assert auth.anon_key.get_secret_value() == "mine"
    assert auth.jwt_secret is not None
    assert auth.jwt_secret.get_secret_value() == "from-file"


@pytest.mark.parametrize(
    "name",
    [
        "RECONCILER_ACCOUNTS__MAIN__API_KEY",
        "reconciler_accounts__main__api_key",
        "accounts__main__api_key",
        "Accounts__Main__API_KEY",
    ],
)
def test_secret_files_are_named_like_variables(load: Load, name: str) -> None:
    key = load(MAIN, files={name: " k e y \r\n"}).accounts["main"].api_key
    assert key is not None
    assert key.get_secret_value() == " k e y "


def test_other_peoples_secret_files_are_left_alone(load: Load, tmp_path: Path) -> None:
    (tmp_path / "secrets" / "accounts__main__secret").mkdir(parents=True)
    (tmp_path / "secrets" / "tls.key").write_bytes(b"\xff\xfe")
    others = dict.fromkeys(("api", "auth", "http", "reconciler_db_password", "foo__bar"), "x")
    assert load(files=others) == load()


def test_a_slip_in_a_secret_file_of_ours_is_an_error(refuse: Refuse) -> None:
    [line] = refuse(MAIN, files={"reconciler_accounts__main__api_kye": "hush"})
    assert line.startswith("secrets/reconciler_accounts__main__api_kye: accounts.main.api_kye: ")
    assert "did you mean accounts.main.api_key?" in line
    assert "hush" not in line


def test_a_secret_file_that_is_no_text_is_named(refuse: Refuse, tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "accounts__main__secret").write_bytes(b"\xff\xfe")
    assert refuse(MAIN) == ["secrets/accounts__main__secret: is not UTF-8 text"]


def test_a_secrets_folder_that_is_named_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"RECONCILER_SECRETS_DIR: .* is not a folder"):
        load_settings(environ={"RECONCILER_SECRETS_DIR": str(tmp_path / "none")})


@pytest.mark.parametrize(
    ("account", "variable"),
    [
        ("main", "MAIN"),
        ("Main", "MAIN"),
        ("my-acc", "MY_ACC"),
        ("my.acc", "MY_ACC"),
        ("my_acc", "MY_ACC"),
        ("a__b", "A__B"),
        ("a-", "A_"),
    ],
)
def test_variables_address_accounts_of_the_file(load: Load, account: str, variable: str) -> None:
    toml = f'[accounts."{account}"]\nvenue = "okx"\n'
    settings = load(toml, **{f"RECONCILER_ACCOUNTS__{variable}__API_KEY": "key"})
    assert list(settings.accounts) == [account]
    key = settings.accounts[account].api_key
    assert key is not None
    assert key.get_secret_value() == "key"


def test_the_longest_name_that_fits_is_meant(load: Load) -> None:
    toml = '[accounts.a]\nvenue = "okx"\n[accounts.a__b]\nvenue = "okx"\n'
    settings = load(toml, RECONCILER_ACCOUNTS__A__B__UID="1", RECONCILER_ACCOUNTS__A__UID="2")
    assert (settings.accounts["a__b"].uid, settings.accounts["a"].uid) == ("1", "2")


def test_a_variable_that_could_mean_two_accounts_is_refused(refuse: Refuse) -> None:
    toml = '[accounts.my-acc]\nvenue = "okx"\n[accounts.my_acc]\nvenue = "okx"\n'
    [line] = refuse(toml, RECONCILER_ACCOUNTS__MY_ACC__API_KEY="key")
    assert line == (
        "RECONCILER_ACCOUNTS__MY_ACC__API_KEY: could mean my-acc or my_acc of accounts: rename one"
    )


def test_an_account_can_come_from_variables_alone(load: Load) -> None:
    settings = load(
        RECONCILER_ACCOUNTS__MY_ACC__VENUE="okx",
        RECONCILER_ACCOUNTS__MY_ACC__IGNORE__SYMBOLS='["BTC/USDT"]',
        RECONCILER_ACCOUNTS__MY_ACC__OPTIONS='{"defaultType": "swap"}',
    )
    assert list(settings.accounts) == ["my_acc"]
    assert settings.accounts["my_acc"].ignore.symbols == ("BTC/USDT",)
    assert settings.accounts["my_acc"].options == {"defaultType": "swap"}


def test_a_table_can_be_given_as_json_and_its_keys_beside_it(load: Load) -> None:
    orders = load(
        '[orders]\ngrace = "1s"\nconfirmations = 5',
        RECONCILER_ORDERS='{"confirmations": 6, "lookups_per_cycle": 7}',
        RECONCILER_ORDERS__LOOKUPS_PER_CYCLE="8",
    ).orders
    assert (orders.grace, orders.confirmations) == (timedelta(seconds=1), 6)
    assert orders.lookups_per_cycle == 8


def test_one_setting_said_twice_in_two_ways_is_refused(refuse: Refuse, load: Load) -> None:
    both = {"reconciler_mode": "observe", "mode": "enforce"}
    assert refuse(files=both) == [
        "secrets/reconciler_mode: says otherwise than secrets/mode, which is the same setting"
    ]
    assert load(files=both | {"mode": "observe"}).mode == "observe"


def test_what_kubernetes_puts_beside_a_service_of_our_name_is_ignored(load: Load) -> None:
    injected = {
        "RECONCILER_SERVICE_HOST": "10.0.0.1",
        "RECONCILER_SERVICE_PORT": "8080",
        "RECONCILER_SERVICE_PORT_HTTP": "8080",
        "RECONCILER_PORT": "tcp://10.0.0.1:8080",
        "RECONCILER_PORT_8080_TCP": "tcp://10.0.0.1:8080",
        "RECONCILER_PORT_8080_TCP_ADDR": "10.0.0.1",
        "RECONCILER_METRICS_PORT_9090_TCP_PROTO": "tcp",
        "RECONCILER_METRICS_SERVICE_HOST": "10.0.0.2",
    }
    assert load(**injected) == load()


def test_a_port_without_its_section_is_still_an_error(refuse: Refuse) -> None:
    [line] = refuse(RECONCILER_PORT="8080")
    assert "did you mean RECONCILER_HTTP__PORT?" in line


def test_which_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    secrets = {"RECONCILER_SECRETS_DIR": str(tmp_path)}
    named = {"RECONCILER_CONFIG": str(tmp_path / "named.toml"), **secrets}
    assert load_settings(environ=secrets).http.port == 8080
    for name, port in (("reconciler.toml", 1), ("named.toml", 2), ("given.toml", 3)):
        (tmp_path / name).write_text(f"[http]\nport = {port}\n", encoding="utf-8")
    assert load_settings(environ=secrets).http.port == 1
    assert load_settings(environ=named).http.port == 2
    assert load_settings(tmp_path / "given.toml", environ=named).http.port == 3


def test_the_process_environment_is_read_by_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [each for each in os.environ if each.startswith("RECONCILER_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECONCILER_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("RECONCILER_MODE", "observe")
    assert load_settings().mode == "observe"


def test_a_named_file_that_is_missing_is_an_error(tmp_path: Path) -> None:
    missing = tmp_path / "none.toml"
    with pytest.raises(ConfigurationError, match=r"none\.toml: cannot be read: No such file"):
        load_settings(missing, environ={})
    with pytest.raises(ConfigurationError, match=r"none\.toml: cannot be read: No such file"):
        load_settings(environ={"RECONCILER_CONFIG": str(missing)})


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: Is a directory"):
        load_settings(tmp_path, environ={})


def test_broken_toml_names_the_line(refuse: Refuse) -> None:
    [line] = refuse('mode = "observe"\n[http\nport = 1\n')
    assert line.startswith("reconciler.toml:2: is not valid TOML: ")


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    file = tmp_path / "latin.toml"
    file.write_bytes(b'mode = "\xe9"')
    with pytest.raises(ConfigurationError, match=r"latin\.toml: is not UTF-8 text"):
        load_settings(file, environ={})
