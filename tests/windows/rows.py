"""What the Windows programs must do, in a host under Wine, with the double of SQL Server on Linux."""

import filecmp
import json
from pathlib import Path

from host import PASSWORD, Ended, kill, until

ROWS = []
MEGABYTE = 1 << 20
PAYROLL = f"[[instances.databases]]\nname = \"Payroll\"\nsize = {8 * MEGABYTE}\n"


def row(function):
    ROWS.append(function)
    return function


def same(a, b):
    if not filecmp.cmp(a, b, shallow=False):
        raise Ended(f"{a} is not {b}")


def equal(a, b):
    if a != b:
        raise Ended(f"{a!r} is not {b!r}")


@row
def a_file_goes_in_and_comes_out_byte_for_byte(host):
    host.configure()
    host.run("config", "check").ended(0)
    host.run("media", "format", "payroll").ended(0)
    source = host.generated("16MiB")
    windows = host.win(f"source-7\\{source.name}")
    host.run("media", "import", "payroll", "--database", "Payroll", windows).ended(0)
    equal(host.run("media", "verify", "payroll").ended(0).result["damage"], [])
    for mirror in ("a", "b"):
        same(host.section(mirror, 1), source)
    host.run("media", "export", "payroll", "--position", "1", "--to", host.win("out")).ended(0)
    same(next((host.path / "out").iterdir()), source)
    host.run("doctor").ended(0)
    plugins = host.run("plugin", "list").ended(0).out
    if "Disk" not in plugins:
        raise Ended(plugins)


@row
def virtual_tapes_take_sets_and_give_them_back(host):
    devices = [f"[[media_sets.payroll.mirrors]]\ndevices = [{{ plugin = \"tape\", "
               f"options = {{ image = '{host.win(one)}.tap' }} }}]\n" for one in "ab"]
    host.write("agent.toml", f"[agent]\nname = \"win-a\"\nstate_dir = \"state\"\n[plugins.tape]\n"
               f"path = '{host.win('twinset_tape.dll')}'\n[media_sets.payroll]\n{''.join(devices)}")
    host.run("media", "format", "payroll").ended(0)
    source = host.generated("4MiB")
    windows = host.win(f"source-7\\{source.name}")
    for _ in range(2):
        host.run("media", "import", "payroll", "--database", "Payroll", windows).ended(0)
    equal(host.run("media", "verify", "payroll").ended(0).result["damage"], [])
    host.run("media", "export", "payroll", "--position", "2", "--to", host.win("out")).ended(0)
    same(next((host.path / "out").iterdir()), source)
    drive = (host.path / "agent.toml").read_text().replace("image =", "drive =")
    host.write("agent.toml", drive.replace(f"{host.win('a')}.tap", r"\\.\TAPE7"))
    fault = host.run("media", "show", "payroll").ended(1).faults
    if "TAPE7" not in json.dumps(fault):
        raise Ended(str(fault))


@row
def damage_is_named_read_around_and_repaired(host):
    host.configure()
    host.run("media", "format", "payroll").ended(0)
    source = host.generated("16MiB")
    windows = host.win(f"source-7\\{source.name}")
    host.run("media", "import", "payroll", "--database", "Payroll", windows).ended(0)
    with open(host.section("a", 1), "r+b") as file:
        file.seek(100_000)
        file.write(b"damage")
    report = host.run("media", "verify", "payroll").ended(3).result
    equal([one["slot"]["mirror"] for one in report["damage"]], [1])
    host.run("media", "export", "payroll", "--position", "1", "--to", host.win("out")).ended(3)
    same(next((host.path / "out").iterdir()), source)
    host.section("a", 1).unlink()
    host.run("media", "recover", "payroll").ended(0)
    same(host.section("a", 1), source)
    host.run("media", "verify", "payroll").ended(0)


@row
def a_mirror_that_is_away_is_missed_and_made_good(host):
    host.configure()
    host.write("agent.toml", (host.path / "agent.toml").read_text() + "min_mirrors = 1\n")
    host.run("media", "format", "payroll").ended(0)
    source = host.generated("4MiB")
    windows = host.win(f"source-7\\{source.name}")
    host.run("media", "import", "payroll", "--database", "Payroll", windows).ended(0)
    (host.path / "b").rename(host.path / "away")
    host.run("media", "import", "payroll", "--database", "Payroll", windows).ended(3)
    host.run("media", "verify", "payroll").ended(3)
    (host.path / "away").rename(host.path / "b")
    host.run("media", "repair", "payroll").ended(0)
    equal(host.run("media", "verify", "payroll").ended(0).result["damage"], [])
    same(host.section("b", 3), source)
    same(host.section("a", 3), source)


@row
def folders_may_be_deeper_than_260_letters(host):
    deep = "\\".join(["d" * 60] * 6)
    host.configure([host.win(f"a\\{deep}"), f"b\\{deep}"])
    host.run("media", "format", "payroll").ended(0)
    source = host.generated("1MiB")
    windows = host.win(f"source-7\\{source.name}")
    host.run("media", "import", "payroll", "--database", "Payroll", windows).ended(0)
    host.run("media", "verify", "payroll").ended(0)
    same(host.section("a", 1), source)


@row
def what_others_may_change_is_refused(host):
    host.configure()
    host.write("agent.toml", (host.path / "agent.toml").read_text(), 0o666)
    found = host.run("config", "check").ended(2)
    fault = found.faults[0]
    equal(fault["code"], "TW1004")
    if "icacls" not in json.dumps(fault):
        raise Ended(found.out)


@row
def the_volume_has_one_writer(host):
    host.serve(PAYROLL)
    host.configure()
    host.stage("[backup]\nthrottle = \"1MiB\"")
    host.run("media", "format", "payroll").ended(0)
    first = host.start("backup", "payroll")
    until("a work file", lambda: any(host.volumes("a")[0].glob(".work.1.*")))
    second = host.run("backup", "payroll").ended(5)
    equal(second.codes[0], "TW5002")
    # Standard input is not what stops it: a console's Ctrl-C is, or the service.
    kill(first)


@row
def a_killed_backup_is_set_right(host):
    host.serve(PAYROLL)
    host.configure()
    host.stage("[backup]\nthrottle = \"2MiB\"")
    host.run("media", "format", "payroll").ended(0)
    first = host.start("backup", "payroll")
    until("a work file", lambda: any(host.volumes("b")[0].glob(".work.1.*")))
    kill(first)
    host.run("media", "recover", "payroll").ended(0)
    if any(host.volumes("a")[0].glob(".work.*")):
        raise Ended("work files stay")
    host.stage()
    host.run("backup", "payroll").ended(0)
    host.run("media", "verify", "payroll").ended(0)


@row
def a_backup_through_a_folder_restores_as_planned(host):
    host.serve(PAYROLL)
    host.configure()
    host.stage()
    host.run("config", "check").ended(0)
    host.run("media", "format", "payroll").ended(0)
    host.run("backup", "payroll").ended(0)
    host.order(database="Payroll", write=["one", "two"])
    host.run("backup", "payroll", "--kind", "log").ended(0)
    host.run("media", "verify", "payroll").ended(0)
    plan = host.run("restore", "plan", "Payroll", "--group", "payroll").ended(0).result
    kinds = [step.get("kind") for step in plan["steps"]] if "steps" in plan else json.dumps(plan)
    if "full" not in kinds or "log" not in kinds:
        raise Ended(json.dumps(plan))
    shown = host.run("media", "show", "payroll").ended(0).result["sets"]
    equal([one["state"] for one in shown], ["published"] * len(shown))


@row
def an_account_of_windows_logs_in(host):
    host.serve("[[instances.logins]]\nname = 'LAB\\twinset'\npassword = \"Account-1\"\n"
               f"sysadmin = true\n{PAYROLL}")
    host.instance = host.instance.replace("auth = \"sql\"\nuser = \"twinset\"",
                                          "auth = \"windows\"\nuser = 'LAB\\twinset'")
    host.instance += "\nconnect_retry = \"0s\""
    host.write("password", "Account-1")
    host.configure()
    host.stage()
    host.run("config", "check").ended(0)
    host.run("media", "format", "payroll").ended(0)
    host.run("backup", "payroll").ended(0)
    granted = host.run("grants", "sql-a").ended(0).result["script"]
    if "CREATE LOGIN [LAB\\twinset] FROM WINDOWS;" not in granted:
        raise Ended(granted)
    host.write("password", "another")
    refused = host.run("backup", "payroll").ended(1)
    if "18452" not in refused.out or "another" in refused.out:
        raise Ended(refused.out)
    # Nobody knows the account that this runs under: the connection ends in the middle of the login.
    text = (host.path / "agent.toml").read_text()
    own = text.replace("user = 'LAB\\twinset'\npassword_file = \"password\"\n", "")
    host.write("agent.toml", own)
    host.run("config", "check").ended(0)
    equal(host.run("backup", "payroll").ended(1).codes[0], "TW4001")


@row
def a_sealed_secret_is_as_good_as_a_plain_one(host):
    host.serve(PAYROLL)
    (host.path / "password").unlink()
    sealed = host.win("password")
    host.write("agent.toml", "")
    host.run("secret", "seal", sealed, said=PASSWORD + "\n").ended(0)
    host.run("secret", "seal", sealed, said="another\n").ended(2)
    text = (host.path / "password").read_text()
    if PASSWORD in text or not text.startswith("dpapi:"):
        raise Ended(text)
    host.configure()
    host.stage()
    host.run("media", "format", "payroll").ended(0)
    host.run("backup", "payroll").ended(0)
    host.write("password", text.replace("A", "B"))
    equal(host.run("backup", "payroll").ended(2).codes[0], "TW1005")


@row
def schedules_know_the_zones_of_the_world(host):
    host.serve(PAYROLL)
    host.configure()
    host.stage("[schedule]\nfull = \"0 1 * * sun\"\ntime_zone = \"Europe/Berlin\"")
    host.run("config", "check").ended(0)
    plan = host.run("plan", "payroll").out
    if "Payroll" not in plan:
        raise Ended(plan)


@row
def the_sample_is_sound(host):
    sample = Path(__file__).resolve().parents[2] / "config/windows"
    text = (sample / "agent.toml").read_text()
    installed = "C:\\Program Files\\Twinset\\twinset_disk.dll"
    if installed not in text:
        raise Ended(text)
    host.write("agent.toml", text.replace(installed, host.win("twinset_disk.dll")))
    host.write("groups.d/payroll.toml", (sample / "groups.d/payroll.toml").read_text())
    (host.path / "secrets").mkdir()
    host.write("secrets/sql-a", PASSWORD)
    host.run("config", "check").ended(0)


@row
def the_service_manager_starts_asks_and_stops_the_service(host):
    host.serve(PAYROLL)
    host.configure()
    host.stage()
    named = ("--name", host.name)
    host.run("service", "status", *named).ended(1)
    host.run("media", "format", "payroll").ended(0)
    host.run("service", "install", *named).ended(0)
    try:
        equal(host.run("service", "install", *named).ended(1).codes[0], "TW6044")
        equal(host.run("service", "start", *named).ended(0).result["state"], "running")
        host.run("jobs").ended(0)
        until("protection", lambda: b"Payroll" in host.run("group", "list").ended(0).out.encode())
        shown = host.run("service", "status", *named).ended(0).result
        if not shown["process"]:
            raise Ended(str(shown))
        log = (host.path / "state" / "log" / "service.log").read_text()
        if "the service runs" not in log:
            raise Ended(log)
        equal(host.run("service", "stop", *named).ended(0).result["state"], "stopped")
        equal(host.run("jobs").ended(1).codes[0], "TW6017")
    finally:
        host.run("service", "uninstall", *named).ended(0)
    host.run("service", "status", *named).ended(1)
