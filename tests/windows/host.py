"""A host of Windows in a folder of the Wine prefix, and a double of SQL Server beside it."""

import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

PASSWORD = "a host's password"
PATIENCE = 120
# The class of SQL Server's virtual devices.
CLASS = r"HKLM\Software\Classes\CLSID\{40700425-0080-11D2-851F-00C04FC21759}"


class Ended(AssertionError):
    """A command ended otherwise than it should."""


class Ran:
    """A command that has ended."""

    def __init__(self, line, code, out, err):
        self.line, self.code, self.out, self.err = line, code, out, err

    def ended(self, code):
        if self.code != code:
            raise Ended(f"{' '.join(self.line)} ended with {self.code}, not {code}:\n"
                        f"{self.out}\n{self.err}")
        return self

    @property
    def object(self):
        return json.loads(self.out)

    @property
    def result(self):
        return self.object["result"]

    @property
    def faults(self):
        object = self.object
        one = object.get("error")
        return object.get("errors") or object.get("faults") or ([one] if one else [])

    @property
    def codes(self):
        return [fault["code"] for fault in self.faults]


class Host:
    """A folder `C:\\twinset-<name>` with programs, configuration, media; gone at the end."""

    def __init__(self, build, prefix, name, lab):
        self.name = f"twinset-{name}"
        self.path = Path(prefix) / "drive_c" / self.name
        self.lab_program = lab
        self.lab = None
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir(mode=0o700)
        (self.path / "groups.d").mkdir()
        for file in ("twinset.exe", "twinset_disk.dll", "twinset_object_store.dll",
                     "twinset_tape.dll"):
            shutil.copy(Path(build) / file, self.path)
        self.build = build
        self.agent, self.sets = ["name = \"win-a\"", "state_dir = \"state\""], []
        self.instance, self.server = "", "SQL-A"
        self.env, self.is_registered = dict(os.environ), False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.is_registered:
            self.registry("delete", CLASS)
        if self.lab:
            self.lab.stdin.close()
            self.lab.wait(PATIENCE)
        shutil.rmtree(self.path, ignore_errors=True)

    def win(self, name=""):
        """A path as Windows has it."""
        return f"C:\\{self.name}\\{name}" if name else f"C:\\{self.name}"

    def configure(self, mirrors=("a", "b"), families=1):
        """Writes the agent's file; mirrors are folders of the host, with one below for each family
        where there are several."""
        lines = ["[agent]", *self.agent, "[plugins.disk]", f"path = '{self.win('twinset_disk.dll')}'"]
        lines += [self.instance, "[media_sets.payroll]"]
        if families == 1:
            lines += ["disk_mirrors = [" + ", ".join(f"'{one}'" for one in mirrors) + "]"]
        else:
            lines += [f"families = {families}"]
        for mirror in mirrors if families > 1 else ():
            devices = (f"{{ plugin = \"disk\", options = {{ path = '{mirror}{one}' }} }}"
                       for one in range(families))
            lines += [f"[[media_sets.payroll.mirrors]]\ndevices = [{', '.join(devices)}]"]
        self.write("agent.toml", "\n".join(lines) + "\n")

    def write(self, name, text, mode=0o600):
        path = self.path / name
        path.write_text(text)
        path.chmod(mode)

    def registry(self, *words):
        """A command of `reg`."""
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
        subprocess.run(["wine", "reg", *words, "/f"], check=True, stderr=subprocess.DEVNULL, **quiet)

    def register(self):
        """Registers the double of SQL Server's DLL, as its installation does the real one."""
        shutil.copy(Path(self.build) / "sqlvdi_com.dll", self.path)
        key = CLASS + r"\InprocServer32"
        self.registry("add", key, "/ve", "/d", self.win("sqlvdi_com.dll"))
        self.is_registered = True
        self.registry("add", key, "/v", "ThreadingModel", "/d", "Both")

    def serve(self, scene_of_databases, server="SQL-A"):
        """Starts a double with one instance, which this agent serves."""
        self.server = server
        scene = (f"[[instances]]\nname = {json.dumps(server)}\n"
                 "[[instances.logins]]\nname = \"twinset\"\n"
                 f"password = {json.dumps(PASSWORD)}\nsysadmin = true\n{scene_of_databases}")
        ready = self.double(scene)
        one = ready["instances"][0]
        self.write("password", PASSWORD)
        self.agent.append("serves = [\"sql-a\"]")
        self.instance = (f"[instances.sql-a]\nhost = \"localhost\"\nport = {one['port']}\n"
                         "auth = \"sql\"\nuser = \"twinset\"\npassword_file = \"password\"\n"
                         f"ca_file = \"{self.authority(one)}\"")

    def double(self, scene):
        """Starts a double with the instances of a scene; tells where they listen."""
        self.write("scene.toml", scene)
        line = [self.lab_program, "serve", self.path / "scene.toml", "--folder", self.path / "lab",
                "--vdi-door"]
        self.lab = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        ready = json.loads(self.lab.stdout.readline())
        # How the double of the DLL finds it.
        self.env["SQLVDI_DOUBLE_DOOR"] = ready["vdi_door"]
        return ready

    def authority(self, instance, name="authority.pem"):
        """Copies the authority of an instance beside the configuration; tells its name there."""
        shutil.copy(Path(instance["ca_file"]), self.path / name)
        return name

    def order(self, server=None, **order):
        """Orders the double: a server of it, or the only one."""
        self.lab.stdin.write(json.dumps({"instance": server or self.server, **order}) + "\n")
        self.lab.stdin.flush()
        answer = json.loads(self.lab.stdout.readline())
        if "error" in answer:
            raise Ended(f"{order}: {answer}")
        return answer

    def group(self, source, more=""):
        self.write("groups.d/payroll.toml",
                   "[group]\nname = \"payroll\"\npartners = [\"sql-a\"]\ndatabases = [\"Payroll\"]\n"
                   f"media_set = \"payroll\"\n{source}\n{more}\n")

    def stage(self, more=""):
        """Backups through a folder that both systems see, each under its own name."""
        folder = self.path / "stage"
        folder.mkdir(exist_ok=True)
        self.group(f"source = \"stage\"\nstage_dir = '{self.win('stage')}'\n"
                   f"stage_dir_server = '{folder}'", more)

    def line(self, *words, config="agent.toml"):
        return ["wine", self.win("twinset.exe"), "--config", self.win(config), *words]

    def run(self, *words, said="", config="agent.toml"):
        """`twinset WORDS --json`, which reads `said`."""
        line = self.line("--json", "--no-progress", *words, config=config)
        # Into files: services that Wine starts on the way would hold pipes open until they end.
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            done = subprocess.run(line, stdout=out, stderr=err, text=True, timeout=PATIENCE,
                                  input=said, cwd=self.path, env=self.env)
            out.seek(0)
            err.seek(0)
            return Ran(words, done.returncode, out.read(), err.read())

    def start(self, *words, config="agent.toml"):
        """The same, in the background."""
        line = self.line("--json", *words, config=config)
        return subprocess.Popen(line, stdin=subprocess.PIPE, text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, cwd=self.path, env=self.env)

    def generated(self, size, seed=7):
        """A backup of SQL Server, as the double writes it."""
        folder = self.path / f"source-{seed}"
        subprocess.run([self.lab_program, "generate", "--size", size, "--seed", str(seed),
                        "--out", folder], check=True, stdout=subprocess.DEVNULL)
        return next(folder.iterdir())

    def on_linux(self, name, mirrors):
        """What the agent for Linux exports of the very media that this host has written."""
        twinset = Path(self.lab_program).parent
        folder = self.path / "linux"
        folder.mkdir(exist_ok=True)
        (folder / "groups.d").mkdir(exist_ok=True)
        folders = ", ".join(f"\"{self.path}/{mirror}\"" for mirror in mirrors)
        plugin = next(one for one in twinset.glob("libtwinset_disk.so"))
        self.write("linux/agent.toml",
                   f"[agent]\nname = \"lin-a\"\nstate_dir = \"state\"\n"
                   f"[plugins.disk]\npath = \"{plugin}\"\n[media_sets.{name}]\n"
                   f"disk_mirrors = [{folders}]\n")
        out = folder / f"out-{name}"
        line = [twinset / "twinset", "--config", folder / "agent.toml", "media", "export", name,
                "--position", "1", "--to", out]
        done = subprocess.run(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=PATIENCE, check=False)
        Ran([str(one) for one in line], done.returncode, done.stdout, "").ended(0)
        exported, = out.iterdir()
        return exported

    def volumes(self, mirror):
        return [one for one in (self.path / mirror).rglob("*") if one.is_dir() and any(one.glob("*.mtf"))]

    def section(self, mirror, index):
        volume, = self.volumes(mirror)
        found, = volume.glob(f"{index:04}.*")
        return found


def until(what, ask):
    """Asks until the answer is good."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = ask()
        if found:
            return found
        time.sleep(0.1)
    raise Ended(f"{what}: not within {PATIENCE} s")


def kill(process):
    """Ends a program of Wine as a crash would. The loader is the process itself."""
    os.kill(process.pid, 9)
    process.wait(PATIENCE)
