"""What two agents for Windows keep together: a mirrored database, an agent on each side of it."""

import json
import subprocess

from host import PASSWORD, PATIENCE, Ended, Ran, kill, until
from rows import MEGABYTE, PAYROLL, equal

ROWS = []
GUID = "6f6c1f2e-8f0a-4a59-9d2b-0f8a3c1b7e55"
AGENTS = ("sql-a", "sql-b")
A, B = AGENTS
SETS = ("payroll", "payroll-log")
# Partners are asked every second; nothing is taken before the check, which nobody waits for.
REFUSING = "[failover]\npoll = \"1s\"\ncheck_delay = \"30m\"\nbefore_check = \"refuse\"\n"


def row(function):
    ROWS.append(function)
    return function


class Pair:
    """Two agents in the folder of a host, each with its name, state and media; the servers are two
    instances of one double, partners of one session."""

    def __init__(self, host):
        self.host, self.services = host, {}

    def __enter__(self):
        sides = zip(AGENTS, ("principal", "mirror"), (B, A))
        ready = self.host.double("".join(self.scene(at, *side) for at, side in enumerate(sides)))
        self.host.register()
        self.host.write("password", PASSWORD)
        for agent in AGENTS:
            self.host.write(f"{agent}.toml", self.agent(agent, ready["instances"]))
        self.host.write("groups.d/payroll.toml",
                        "[group]\nname = \"payroll\"\npartners = [\"sql-a\", \"sql-b\"]\n"
                        "databases = [\"Payroll\"]\nmedia_set = \"payroll\"\nsource = \"vdi\"\n"
                        + REFUSING)
        return self

    def __exit__(self, *_):
        for service, log in self.services.values():
            kill(service)
            log.close()

    @staticmethod
    def scene(at, agent, role, partner):
        return (f"[[instances]]\nname = \"{agent.upper()}\"\nseed = {at}\n"
                f"mirroring_port = {5022 + at}\n[[instances.logins]]\nname = \"twinset\"\n"
                f"password = {json.dumps(PASSWORD)}\nsysadmin = true\n{PAYROLL}"
                f"[instances.databases.mirroring]\nguid = \"{GUID}\"\nrole = \"{role}\"\n"
                f"partner_address = \"TCP://{partner}:{5023 - at}\"\n"
                f"partner_instance = \"{partner.upper()}\"\n")

    def agent(self, name, instances):
        """The file of an agent: the same on both sides but for its name and its state."""
        text = (f"[agent]\nname = \"{name}\"\nserves = [\"{name}\"]\nstate_dir = 'state-{name}'\n"
                f"[plugins.disk]\npath = '{self.host.win('twinset_disk.dll')}'\n"
                "[media_sets.payroll]\ndisk_mirrors = ['{agent}/m1', '{agent}/m2']\n")
        for at, (instance, one) in enumerate(zip(AGENTS, instances)):
            authority = self.host.authority(one, f"authority-{at}.pem")
            text += (f"[instances.{instance}]\nhost = \"localhost\"\nport = {one['port']}\n"
                     "auth = \"sql\"\nuser = \"twinset\"\npassword_file = \"password\"\n"
                     f"connect_retry = \"0s\"\nca_file = \"{authority}\"\n")
        return text

    def run(self, agent, *words):
        return self.host.run(*words, config=f"{agent}.toml")

    def order(self, agent, **order):
        return self.host.order(server=agent.upper(), **order)

    def serve(self, agent):
        """Starts `twinset run` of an agent, and waits until it serves."""
        # Open as long as the service runs.
        log = open(self.host.path / f"{agent}.log", "w+")  # noqa: SIM115
        line = self.host.line("--json", "--log-level", "info", "run", config=f"{agent}.toml")
        service = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   cwd=self.host.path, env=self.host.env)
        self.services[agent] = service, log
        self.says(agent, "the service runs")

    def said(self, agent):
        return (self.host.path / f"{agent}.log").read_text()

    def says(self, agent, word):
        """Waits for a word in the log of an agent."""
        try:
            return until(f"{agent}: {word}", lambda: word in self.said(agent))
        except Ended as late:
            raise Ended(f"{late}\n{self.said(agent)[-4000:]}") from None

    def state(self, agent, begins):
        """Waits until an agent has the database in a state that begins like this."""
        def shown():
            listed = self.run(agent, "group", "list").ended(0).result
            return listed[0]["text"].startswith(begins) or listed[0]["state"].startswith(begins)
        try:
            return until(f"{agent}: {begins}", shown)
        except Ended as late:
            listed = [self.run(one, "group", "list").out for one in AGENTS]
            raise Ended(f"{late}\n{listed}\n{self.said(agent)[-4000:]}") from None

    def sets(self, agent, name):
        """Kind and state of what lies on the media of an agent."""
        shown = self.run(agent, "media", "show", name).ended(0).result["sets"]
        return [f"{one['kind']} {one['state']}" for one in shown]

    def fail_over(self, agent):
        self.order(agent, failover="Payroll")

    def write(self, agent, note):
        self.order(agent, database="Payroll", write=[note])


def one_history(pair):
    """Every log on the media of both begins where the one before it has ended, on one fork."""
    logs = {}
    for agent in AGENTS:
        for manifest in (pair.host.path / agent).rglob("*.manifest.json"):
            with open(manifest, "rb") as file:
                one = json.loads(file.readline())["sets"][0]
            if one["kind"] == "log":
                logs[one["set"]] = one
    chain = sorted((int(one["first_lsn"]), int(one["last_lsn"])) for one in logs.values())
    if len(chain) < 4:
        raise Ended(f"too few logs to say anything: {chain}")
    for (_, ended), (begins, _) in zip(chain, chain[1:]):
        equal(begins, ended)
    equal(len({one["recovery_fork"] for one in logs.values()}), 1)


@row
def two_agents_keep_one_history_through_a_failover_and_back(host):
    with Pair(host) as pair:
        for agent in AGENTS:
            pair.run(agent, "media", "format", "payroll").ended(0)
        for agent in AGENTS:
            pair.serve(agent)
        # The principal's agent takes the first full by itself, the other one nothing.
        until("the first full", lambda: pair.sets(A, "payroll") == ["full published"])
        pair.state(A, "protected")
        equal(pair.sets(B, "payroll"), [])
        pair.write(A, "October")
        pair.run(A, "backup", "payroll", "--kind", "log").ended(0)

        # The roles are switched in the middle of a full: nothing of it is published.
        pair.order(A, faults={"bytes_per_second": 2 * MEGABYTE})
        cut = host.start("backup", "payroll", config=f"{A}.toml")
        until("a work file", lambda: any((host.path / A).rglob(".work.*")))
        pair.fail_over(A)
        out, err = cut.communicate(timeout=PATIENCE)
        equal(Ran(["backup"], cut.returncode, out, err).ended(1).codes, ["TW4064"])
        pair.order(A, faults={})
        equal(pair.sets(A, "payroll").count("full published"), 1)

        # The other agent takes nothing before the check, and goes on with the chain behind it.
        pair.state(B, "consistency check pending")
        refused = pair.run(B, "backup", "payroll", "--kind", "log").ended(5)
        equal(refused.codes, ["TW6002"])
        pair.run(B, "check", "payroll").ended(0)
        pair.state(B, "protected")
        until("the log that joins", lambda: pair.sets(B, "payroll-log") == ["log published"])
        equal(pair.sets(B, "payroll"), [])

        # And back.
        pair.write(B, "November")
        pair.run(B, "backup", "payroll", "--kind", "log").ended(0)
        pair.fail_over(B)
        pair.state(A, "protected")
        until("a log on the old side", lambda: len(pair.sets(A, "payroll-log")) == 2)

        # Exactly one history, whole on both sides, and it restores out of both.
        for agent, name in ((A, "payroll"), (A, "payroll-log"), (B, "payroll-log")):
            equal(pair.run(agent, "media", "verify", name).ended(0).result["damage"], [])
        pair.run(A, "restore", "run", "Payroll", "--group", "payroll", "--as", "Copy",
                 "--on", A).ended(0)
        copy = pair.order(A, database="Copy")["database"]
        equal(copy["state"], "ONLINE")
        equal(copy["writes"], ["October", "November"])
        received = pair.order(A, received=True)["received"]
        read = [one for one in received if one["database"] == "Copy"]
        equal([one["same"] for one in read], [True] * len(read))
        equal({one["sent_by"] for one in read}, {"SQL-A", "SQL-B"})
        one_history(pair)
