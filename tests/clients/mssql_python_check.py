"""Judges the double with mssql-python, which brings Microsoft's own ODBC driver.

Usage: mssql_python_check.py LEVEL PORT USER PASSWORD. LEVEL is how the connection is encrypted: no,
yes or strict. Prints one line per check and exits with 1 at the first that fails. The server must
hold a database called Payroll; at level strict its authority must be trusted by the system.
"""

import datetime
import decimal
import sys
import time
import uuid

import mssql_python


def check(name, ok):
    print(("ok    " if ok else "FAIL  ") + "mssql-python: " + name)
    sys.stdout.flush()
    if not ok:
        sys.exit(1)


def connect(level, port, user, password):
    trust = "no" if level == "strict" else "yes"
    return mssql_python.connect(
        f"Server=localhost,{port};Database=master;UID={user};PWD={password};"
        f"Encrypt={level};TrustServerCertificate={trust};",
        autocommit=True,
    )


def fails(cursor, sql):
    """What the driver says when the statement fails; empty when it does not."""
    try:
        cursor.execute(sql)
        while cursor.nextset():
            pass
    except mssql_python.Error as fault:
        return str(fault)
    return ""


def types(cursor):
    cursor.execute(
        "SELECT name, database_id, create_date, service_broker_guid, is_read_only, source_database_id"
        " FROM sys.databases WHERE name = ?",
        ("payroll",),
    )
    row = cursor.fetchone()
    check("a parameter and collation", row[0] == "Payroll")
    check("types", isinstance(row[1], int) and isinstance(row[2], datetime.datetime))
    check("guid", isinstance(row[3], uuid.UUID) or len(str(row[3])) == 36)
    check("bit and NULL", row[4] in (False, 0) and row[5] is None)
    cursor.execute("SELECT CAST(39000000172000001 AS numeric(25,0))")
    check("numeric(25,0)", cursor.fetchone()[0] == decimal.Decimal(39000000172000001))
    cursor.execute("SELECT 1 AS a; SELECT N'\u00e9\u4e2d' AS b")
    first = cursor.fetchall()
    check("a second result set", bool(cursor.nextset()))
    check("both result sets", first[0][0] == 1 and cursor.fetchall()[0][0] == "\u00e9\u4e2d")


def statements(cursor):
    cursor.execute("BACKUP DATABASE Payroll TO DISK = 'py.bak' WITH FORMAT, CHECKSUM, STATS = 25")
    said = [str(text) for _, text in cursor.messages]
    while cursor.nextset():
        said += [str(text) for _, text in cursor.messages]
    check("progress of a long statement", sum("percent processed" in text for text in said) == 4)
    check("success comes as a message", any("successfully processed" in text for text in said))
    cursor.execute("RESTORE HEADERONLY FROM DISK = 'py.bak'")
    names = [column[0] for column in cursor.description]
    row = cursor.fetchone()
    check("the header's columns", len(names) == 59 and names[0] == "BackupName")
    check("the header's LSN", isinstance(row[names.index("FirstLSN")], decimal.Decimal))
    check("an unknown column", "Invalid column name" in fails(cursor, "SELECT nam FROM sys.databases"))
    missing = fails(cursor, "BACKUP DATABASE [no such] TO DISK = 'x'")
    check("the first error is told", "does not exist" in missing)


def attention(connection):
    """A query timeout makes the driver send an attention, as cancel would."""
    connection.timeout = 1
    cursor = connection.cursor()
    began = time.monotonic()
    said = fails(cursor, "WAITFOR DELAY '00:00:30'")
    check("a timeout takes the statement back", said != "" and time.monotonic() - began < 15)
    connection.timeout = 0
    cursor = connection.cursor()
    cursor.execute("SELECT 7")
    check("the connection lives on", cursor.fetchone()[0] == 7)


def main():
    level, port, user, password = sys.argv[1], *sys.argv[2:5]
    connection = connect(level, port, user, password)
    check(f"login with encryption {level}", True)
    cursor = connection.cursor()
    types(cursor)
    statements(cursor)
    attention(connection)
    connection.close()
    try:
        connect(level, port, user, password + "x")
        check("a wrong password", False)
    except mssql_python.Error as fault:
        check("a wrong password", "Login failed" in str(fault))


if __name__ == "__main__":
    main()
