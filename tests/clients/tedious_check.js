// Judges the double with tedious: events for every message, and the two-message cancel.
//
// Usage: node tedious_check.js LEVEL PORT CA_FILE USER PASSWORD. LEVEL is no, yes or strict. Prints one
// line per check and exits with 1 at the first that fails. The server must hold a database Payroll.
"use strict";

const fs = require("fs");
const { Connection, Request, TYPES } = require("tedious");

const [level, port, caFile, user, password] = process.argv.slice(2);

function check(name, ok) {
  console.log((ok ? "ok    " : "FAIL  ") + "tedious: " + name);
  if (!ok) process.exit(1);
}

function connect(secret) {
  const encrypt = level === "strict" ? "strict" : level === "yes";
  const connection = new Connection({
    server: "localhost",
    authentication: { type: "default", options: { userName: user, password: secret } },
    options: {
      port: Number(port),
      database: "master",
      encrypt,
      trustServerCertificate: false,
      cryptoCredentialsDetails: { ca: fs.readFileSync(caFile) },
      connectTimeout: 10000,
      requestTimeout: 0,
      cancelTimeout: 5000,
    },
  });
  const messages = [];
  connection.on("infoMessage", (info) => messages.push(info.number));
  connection.on("errorMessage", (error) => messages.push(error.number));
  return new Promise((resolve, reject) => {
    connection.connect((fault) => (fault ? reject(fault) : resolve({ connection, messages })));
  });
}

function run(connection, sql, prepare = () => {}) {
  return new Promise((resolve) => {
    const rows = [];
    const request = new Request(sql, (fault) => resolve({ fault, rows }));
    request.on("row", (columns) => rows.push(columns.map((column) => column.value)));
    prepare(request);
    const plain = request.parameters.length === 0;
    if (plain) connection.execSqlBatch(request);
    else connection.execSql(request);
  });
}

async function main() {
  const { connection, messages } = await connect(password);
  check("login with encryption " + level, true);

  const found = await run(
    connection,
    "SELECT name, database_id, create_date, service_broker_guid, is_read_only, source_database_id" +
      " FROM sys.databases WHERE name = @name",
    (request) => request.addParameter("name", TYPES.NVarChar, "payroll"),
  );
  const [name, id, created, broker, readOnly, source] = found.rows[0];
  check("a parameter and collation", name === "Payroll");
  check("types", typeof id === "number" && created instanceof Date && readOnly === false);
  check("guid and NULL", broker.length === 36 && source === null);

  const sets = await run(connection, "SELECT 1 AS a; SELECT N'\u00e9\u4e2d' AS b");
  check("two result sets", sets.rows[0][0] === 1 && sets.rows[1][0] === "\u00e9\u4e2d");

  messages.length = 0;
  const backup = "BACKUP DATABASE Payroll TO DISK = 'js.bak' WITH FORMAT, STATS = 25";
  const taken = await run(connection, backup);
  check("a backup succeeds", !taken.fault);
  const percent = messages.filter((number) => number === 3211).length;
  check("progress, then success", percent === 4 && messages[messages.length - 1] === 3014);

  messages.length = 0;
  const missing = await run(connection, "BACKUP DATABASE [no such] TO DISK = 'x'");
  check("every error in order", missing.fault && messages.join() === "911,3013");

  const began = Date.now();
  const waiting = run(connection, "WAITFOR DELAY '00:00:30'");
  setTimeout(() => connection.cancel(), 500);
  const cancelled = await waiting;
  check("cancel", cancelled.fault && cancelled.fault.code === "ECANCEL");
  check("cancel is quick", Date.now() - began < 5000);
  const after = await run(connection, "SELECT 7 AS a");
  check("the connection lives on", !after.fault && after.rows[0][0] === 7);
  connection.close();

  const refused = await connect(password + "x").then(() => null, (fault) => fault);
  check("a wrong password", refused !== null && /Login failed/.test(refused.message));
}

main().then(() => process.exit(0));
