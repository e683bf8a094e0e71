"""Judges the double with python-tds, the client with the strictest framing.

Usage: pytds_check.py LEVEL PORT CA_FILE USER PASSWORD. LEVEL is how the connection is encrypted: no,
login (the password alone) or yes. Needs python-tds and pyOpenSSL. Prints one line per check and exits
with 1 at the first that fails. The server must hold a database called Payroll.
"""

import datetime
import decimal
import sys
import uuid

import pytds


def check(name, ok):
    print(("ok    " if ok else "FAIL  ") + "python-tds: " + name)
    sys.stdout.flush()
    if not ok:
        sys.exit(1)


def errors(cursor, sql):
    """SQL Server's numbers of all errors of a batch, in order."""
    try:
        cursor.execute(sql)
        while cursor.nextset():
            pass
    except pytds.DatabaseError:
        pass
    return [fault.number for _, fault in cursor.messages or []]


def numbers(cursor):
    """SQL Server's numbers of everything that was said since the last look."""
    return [said.number for _, said in cursor.messages or []]


def login(level, port, ca_file, user, password):
    return pytds.connect(
        dsn="127.0.0.1",
        port=port,
        user=user,
        password=password,
        database="master",
        cafile=None if level == "no" else ca_file,
        # python-tds 1.17 compares host names with a call that pyOpenSSL no longer has.
        validate_host=False,
        enc_login_only=level == "login",
        autocommit=True,
        login_timeout=10,
    )


def long_statements(connection):
    """Messages come while a statement runs. (Its cancel reads in a second thread: not judged.)"""
    cursor = connection.cursor()
    cursor.execute("BACKUP DATABASE Payroll TO DISK = 'pytds.bak' WITH FORMAT, STATS = 25")
    said = numbers(cursor)
    while cursor.nextset():
        said += [number for number in numbers(cursor) if number not in said[-1:]]
    check("progress of a long statement, then success", 3211 in said and said[-1] == 3014)


def main():
    level, port, ca_file, user, password = sys.argv[1], int(sys.argv[2]), *sys.argv[3:6]
    connection = login(level, port, ca_file, user, password)
    check(f"login with encryption {level}", True)
    cursor = connection.cursor()

    cursor.execute(
        "SELECT name, database_id, state, create_date, service_broker_guid, is_read_only,"
        " collation_name FROM sys.databases WHERE name = %s",
        ("payroll",),
    )
    names = [column[0] for column in cursor.description]
    check("column names", names[:3] == ["name", "database_id", "state"])
    row = cursor.fetchone()
    kinds = [str, int, int, datetime.datetime, uuid.UUID, bool, str]
    check("column types", [type(value) for value in row] == kinds)
    check("collation folds case", row[0] == "Payroll")

    cursor.execute("SELECT log_end = CAST(39000000172000001 AS numeric(25,0)), CAST(NULL AS int)")
    row = cursor.fetchone()
    check("numeric(25,0)", row == (decimal.Decimal(39000000172000001), None))

    cursor.execute("SELECT 1 AS a; SELECT N'\u00e9\u4e2d' AS b, 2 AS c")
    first = cursor.fetchall()
    check("a second result set follows", cursor.nextset() is True)
    second = cursor.fetchall()
    check("result sets", first == [(1,)] and second == [("\u00e9\u4e2d", 2)])

    cursor.execute("SELECT TOP (1) percent_complete FROM sys.dm_exec_requests WHERE session_id = @@SPID")
    check("real", isinstance(cursor.fetchone()[0], float))

    check("207 invalid column", errors(cursor, "SELECT nam FROM sys.databases") == [207])
    check("208 invalid object", errors(cursor, "SELECT 1 FROM sys.database") == [208])
    check("102 syntax", errors(cursor, "SELECT FROM WHERE") == [102])
    check("195 unknown function", errors(cursor, "SELECT nofunction(1)") == [195])
    missing = errors(cursor, "BACKUP DATABASE [no such] TO VIRTUAL_DEVICE = N'x'")
    check("911 unknown database", missing == [911, 3013])
    unopened = errors(cursor, "BACKUP DATABASE Payroll TO VIRTUAL_DEVICE = N'nobody'")
    check("3201 unknown device set", unopened == [3201, 3013])
    cursor.execute("SELECT COUNT(*) FROM msdb.dbo.backupset WHERE database_name = %s", ("x",))
    check("the connection lives on", cursor.fetchone() == (0,))
    long_statements(connection)

    try:
        login(level, port, ca_file, user, password + "x")
        check("18456 wrong password", False)
    except pytds.Error as fault:
        check("18456 wrong password", fault.number == 18456)
    connection.close()


if __name__ == "__main__":
    main()
