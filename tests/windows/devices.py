"""What the Windows programs must do with virtual devices: COM, a double of SQL Server's DLL under its
class id, and behind it the double of SQL Server on Linux."""

import json

from host import Ended, kill, until
from rows import MEGABYTE, PAYROLL, equal, same

ROWS = []
VDI = "source = \"vdi\""


def row(function):
    ROWS.append(function)
    return function


def begun(host, how="", more="", server="SQL-A", **shape):
    """A host with a server and formatted media, which backs up by virtual devices."""
    host.serve(PAYROLL, server)
    host.register()
    host.configure(**shape)
    host.group(VDI, more)
    if how:
        host.group(f"{VDI}\n{how}", more)
    host.run("media", "format", "payroll").ended(0)


def held(text, *words):
    for word in words:
        if word not in text:
            raise Ended(f"no {word!r} in:\n{text}")


def published(host, name="payroll"):
    sets = host.run("media", "show", name).ended(0).result["sets"]
    return [one["kind"] for one in sets if one["state"] == "published"]


def works(host):
    return any(any(one.glob(".work.*")) for one in host.volumes("a"))


@row
def a_full_and_a_log_come_by_virtual_devices_and_go_back(host):
    begun(host)
    host.run("config", "check").ended(0)
    host.run("doctor").ended(0)
    host.run("backup", "payroll").ended(0)
    host.order(database="Payroll", write=["one", "two"])
    host.run("backup", "payroll", "--kind", "log").ended(0)
    for name, kind, mirrors in (("payroll", "full", "ab"), ("payroll-log", "log", ("a-log", "b-log"))):
        equal(published(host, name), [kind])
        equal(host.run("media", "verify", name).ended(0).result["damage"], [])
        host.run("media", "export", name, "--position", "1", "--to", host.win(f"out-{name}")).ended(0)
        exported, = (host.path / f"out-{name}").iterdir()
        for mirror in mirrors:
            same(exported, host.section(mirror, 1))
        # What the agent for Linux gives of the same media.
        same(exported, host.on_linux(name, mirrors))
    host.run("restore", "verify", "Payroll", "--group", "payroll", "--on", "sql-a").ended(0)
    restored = host.run("restore", "run", "Payroll", "--group", "payroll", "--as", "Payroll_Copy",
                        "--on", "sql-a").ended(0)
    held(restored.out, "Payroll_Copy")
    there = host.order(database="Payroll_Copy")["database"]
    equal(there["writes"], host.order(database="Payroll")["database"]["writes"])


@row
def three_families_are_three_devices_of_one_set(host):
    begun(host, families=3)
    host.run("backup", "payroll").ended(0)
    equal(host.run("media", "verify", "payroll").ended(0).result["damage"], [])
    host.run("restore", "run", "Payroll", "--group", "payroll", "--as", "P2", "--on", "sql-a").ended(0)
    equal(host.order(database="P2")["database"]["state"], "ONLINE")


@row
def an_instance_is_told_by_its_bare_name(host):
    begun(host, server="WIN-A\\PAY")
    host.run("backup", "payroll").ended(0)
    equal(published(host), ["full"])


@row
def a_statement_that_fails_in_the_middle_is_the_cause(host):
    begun(host)
    for faults, code, words in (
        # SQL Server ends the transfer, aborts the set, refuses the set, and never opens it.
        ({"fail_after_bytes": 3 * MEGABYTE}, 1, ["3271", "1117"]),
        ({"abort_after_bytes": 3 * MEGABYTE}, 1, ["995"]),
        ({"vdi": {"configure_code": -2139684853}}, 1, ["0x8077000B"]),
        ({"vdi": {"open_code": 0x80070002}}, 1, ["3201"]),
        ({"fail_before_open": 3023}, 5, ["3023"]),
        ({"fail_after_close": True}, 1, ["3271"]),
    ):
        host.order(faults=faults)
        failed = host.run("backup", "payroll").ended(code)
        held(failed.out, *words)
        equal(published(host), [])
        if works(host):
            raise Ended(f"work files stay after {faults}")
    host.order(faults={})
    host.run("backup", "payroll").ended(0)
    equal(published(host), ["full"])


@row
def orders_and_ends_of_every_kind_are_understood(host):
    begun(host)
    for faults in (
        {"vdi": {"timeout_in_seconds": True}},
        {"vdi": {"clear_error_first": True}},
        {"extra_flush": True},
        {"unknown_command": 77},
        {"complete_enabled": False},
        {"done_delay_ms": 300},
    ):
        host.order(faults=faults)
        host.run("backup", "payroll", "--copy-only").ended(0)
    for name, faults in (
        ("P1", {"vdi": {"clear_error_first": True}}),
        ("P2", {"restore_closes_early": True}),
        ("P3", {"seed": 9}),
    ):
        host.order(faults=faults)
        host.run("restore", "run", "Payroll", "--group", "payroll", "--as", name, "--on", "sql-a").ended(0)


@row
def an_agent_that_dies_leaves_nothing_half_done(host):
    begun(host)
    host.run("backup", "payroll").ended(0)
    host.order(faults={"bytes_per_second": MEGABYTE})
    first = host.start("backup", "payroll")
    until("a work file", lambda: works(host))
    kill(first)
    # SQL Server notices that its client is gone: its database is free again.
    host.order(faults={})
    host.run("media", "recover", "payroll").ended(0)
    if works(host):
        raise Ended("work files stay")
    equal(published(host), ["full"])
    host.run("backup", "payroll").ended(0)
    equal(host.run("media", "verify", "payroll").ended(0).result["damage"], [])
    equal(published(host), ["full", "full"])


@row
def a_class_that_cannot_be_used_is_named_with_the_way_out(host):
    host.serve(PAYROLL)
    host.configure()
    host.group(VDI)
    host.run("media", "format", "payroll").ended(0)
    refused = host.run("backup", "payroll").ended(1)
    equal(refused.codes[0], "TW4004")
    held(json.dumps(refused.faults[0]), "not registered", "regsvr32", "stage")
    if "/dev" in refused.out or "mssql" in refused.out:
        raise Ended(refused.out)
    held(host.run("doctor").out, "TW4004")
    # A DLL that others may change is not loaded.
    host.register()
    host.write("sqlvdi_com.dll", "", 0o666)
    open_to_all = host.run("backup", "payroll").ended(1)
    equal(open_to_all.codes[0], "TW4004")
    held(json.dumps(open_to_all.faults[0]), "others than the administrator", "icacls")
    # One that is none is told by the loader's own word.
    (host.path / "sqlvdi_com.dll").chmod(0o600)
    broken = host.run("backup", "payroll").ended(1)
    equal(broken.codes[0], "TW4004")
    held(json.dumps(broken.faults[0]), "0x800")
