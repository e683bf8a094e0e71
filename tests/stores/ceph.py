"""Ceph's RADOS gateway on one host, with a store in memory: another widely deployed dialect of S3.

Its packages come from Debian (ceph-mon ceph-osd ceph-mgr radosgw ceph-common); real keys are
needed, because the gateway hangs without them.
"""

import shutil
import subprocess
import time
import uuid

PROGRAMS = ("ceph", "ceph-mon", "ceph-osd", "ceph-mgr", "radosgw", "radosgw-admin", "monmaptool", "ceph-authtool")
USERS = ("mon.", "client.admin", "osd.0", "mgr.x", "client.rgw.a")
PATIENCE = 60


def lacking():
    """Programs that are not installed."""
    places = "/usr/bin:/usr/sbin:/bin:/sbin"
    return [name for name in PROGRAMS if not shutil.which(name, path=places)]


def config(folder, fsid, port):
    """One monitor, one store in memory, small pools, nothing spread over hosts."""
    return f"""[global]
fsid = {fsid}
mon host = v2:127.0.0.1:{port}
mon initial members = a
public addr = 127.0.0.1
ms bind ipv4 = true
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = {folder}/keyring
run dir = {folder}
admin socket = {folder}/$name.asok
log file = {folder}/$name.log
pid file = {folder}/$name.pid
osd objectstore = memstore
memstore device bytes = 4294967296
osd pool default size = 1
osd pool default min size = 1
mon allow pool size one = true
osd crush chooseleaf type = 0
osd pool default pg num = 8
osd pool default pgp num = 8
mon warn on pool no redundancy = false
mon data = {folder}/mon
osd data = {folder}/osd
mgr data = {folder}/mgr
rgw data = {folder}/rgw
mon data avail warn = 1
mon data avail crit = 0
mon cluster log file = {folder}/cluster.log
rgw dns name =
rgw gc obj min wait = 1
"""


def run(folder, *line):
    told = subprocess.run([str(word) for word in line], capture_output=True, text=True, cwd=folder, timeout=PATIENCE)
    if told.returncode:
        raise RuntimeError(f"{line[0]}: {told.stderr[-600:]}")
    return told.stdout.strip()


def start(start_program, folder, ports, key, secret):
    """Starts the gateway; `start_program(name, line)` keeps a program running."""
    mon, gateway = ports
    folder.mkdir()
    for name in ("osd", "mgr", "rgw"):
        (folder / name).mkdir()
    fsid, disk, conf = uuid.uuid4(), uuid.uuid4(), folder / "ceph.conf"
    conf.write_text(config(folder, fsid, mon))
    keyring = folder / "keyring"
    lines = []
    for user in USERS:
        own = run(folder, "ceph-authtool", "--gen-print-key")
        lines.append(f"[{user}]\n\tkey = {own}\n\tcaps mon = \"allow *\"\n\tcaps osd = \"allow *\"\n\tcaps mgr = \"allow *\"\n\tcaps mds = \"allow *\"\n")
    keyring.write_text("".join(lines))
    monmap = folder / "monmap"
    run(folder, "monmaptool", "--create", "--fsid", fsid, "--addv", "a", f"[v2:127.0.0.1:{mon}]", monmap)
    with_conf = ("-c", conf)
    run(folder, "ceph-mon", *with_conf, "-i", "a", "--mkfs", "--monmap", monmap, "--keyring", keyring)
    start_program("ceph-mon", ["ceph-mon", *with_conf, "-i", "a", "-f"])
    ask = ("ceph", *with_conf, "--connect-timeout", "20")
    run(folder, *ask, "osd", "new", disk)
    run(folder, "ceph-osd", *with_conf, "-i", "0", "--mkfs", "--osd-uuid", disk)
    start_program("ceph-osd", ["ceph-osd", *with_conf, "-i", "0", "-f"])
    run(folder, *ask, "osd", "crush", "add", "osd.0", "1.0", "root=default", "host=h0")
    start_program("ceph-mgr", ["ceph-mgr", *with_conf, "-i", "x", "-f"])
    end = time.monotonic() + PATIENCE
    while "1 up" not in run(folder, *ask, "osd", "stat"):
        if time.monotonic() > end:
            raise RuntimeError("the store of Ceph did not come up")
        time.sleep(0.3)
    run(folder, "radosgw-admin", *with_conf, "user", "create", "--uid=t", "--display-name=t",
        f"--access-key={key}", f"--secret-key={secret}")
    start_program("radosgw", [
        "radosgw", *with_conf, "-n", "client.rgw.a", "-f",
        "--rgw-frontends", f"beast endpoint=127.0.0.1:{gateway}",
    ])
    return f"http://127.0.0.1:{gateway}"
