"""A MariaDB server and its load, in a root of their own and for as long as this process lives.

Everything that the server writes is in memory that is mounted in this process's own mount namespace, and
each child is killed when this process dies, so nothing is left however it ends.
"""
import ctypes
import os
import re
import signal
import subprocess
import time

SCRATCH = "/mnt"  # within the root
SOCKET = SCRATCH + "/socket"
NOBODY = 65534
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


class Failure(Exception):
    """One line: what failed, with what, what to do."""


def with_me(parent, root=None):
    """For a child: to be nobody within the root, and to die with its parent."""
    def prepare():
        if root:
            os.chroot(root)
            os.chdir("/")
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        # A change of user clears it, so it comes last.
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
    return prepare


def spawn(argv, root=None, **options):
    options.setdefault("stdin", subprocess.DEVNULL)
    options.setdefault("preexec_fn", with_me(os.getpid(), root))
    environment = {"PATH": "/usr/bin:/usr/sbin", "LC_ALL": "C"} if root else None
    return subprocess.Popen(argv, env=environment, **options)


def stop(process, gently=10):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(gently)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()


def last_line(path):
    with open(path, "rb") as file:
        lines = [line for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


class Server:
    """`options` are those of mariadbd that the lock in question needs."""

    def __init__(self, root, options, names_locks=False):
        self.root = root
        place = root + SCRATCH
        for command in (["mount", "-t", "tmpfs", "-o", "size=2g,mode=755", "tmpfs", place],
                        ["mkdir", place + "/data", place + "/tmp"],
                        ["chown", "-R", f"{NOBODY}:{NOBODY}", place]):
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        self.log = place + "/server.log"
        argv = ["/usr/sbin/mariadbd", "--no-defaults", "--skip-networking", "--skip-grant-tables",
                "--datadir=" + SCRATCH + "/data", "--tmpdir=" + SCRATCH + "/tmp", "--socket=" + SOCKET,
                "--pid-file=" + SCRATCH + "/pid", "--lc-messages-dir=/usr/share/mysql",
                "--innodb-log-file-size=8M", "--innodb-stats-persistent=0", "--max-connections=200", *options]
        if names_locks:
            argv += ["--performance-schema=ON", "--performance-schema-instrument=wait/synch/mutex/%=ON"]
        with open(self.log, "wb") as log:
            self.process = spawn(argv, root, stdout=log, stderr=subprocess.STDOUT)
        self.pid = self.process.pid
        self.ended = False
        self.wait_until_ready()

    def wait_until_ready(self):
        until = time.monotonic() + 60
        while not os.path.exists(self.root + SOCKET):
            if self.process.poll() is not None:
                raise Failure(f"the server did not start: {last_line(self.log)}")
            if time.monotonic() > until:
                raise Failure("the server did not start within a minute")
            time.sleep(0.02)
        self.query("CREATE DATABASE sbtest")

    def query(self, text):
        argv = ["/usr/bin/mariadb", "--no-defaults", "--batch", "--skip-column-names", "--user=root",
                "--socket=" + SOCKET, "--execute=" + text]
        client = spawn(argv, self.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            out, err = client.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            stop(client, 0)
            raise Failure(f"the server did not answer '{text}' within a minute")
        if client.returncode != 0:
            raise Failure(f"the server refused '{text}': {err.strip()}")
        return [line.split("\t") for line in out.splitlines()]

    def close(self):
        if not self.ended:
            self.ended = True
            stop(self.process)
            subprocess.run(["umount", "--lazy", self.root + SCRATCH], check=False)

    def name_at(self, address):
        """What the server itself calls the mutex at that address."""
        rows = self.query("SELECT name FROM performance_schema.mutex_instances "
                          f"WHERE object_instance_begin = {address}")
        return rows[0][0].rsplit("/", 1)[-1] if rows else None

    def address_of(self, place):
        """Where a lock is that gilscope places in an object, as a report has it; None if that cannot be told."""
        if not place["object"].startswith("/"):
            return place["offset"]  # from no file's start: the address itself
        with open(f"/proc/{self.pid}/maps") as maps:
            for line in maps:
                fields = line.split(None, 5)
                if len(fields) == 6 and fields[5].strip() in (place["object"], self.root + place["object"]):
                    return int(fields[0].split("-")[0], 16) + place["offset"]
        return None


class Load:
    """sysbench with so many clients, from its first query on."""

    def __init__(self, server, script, options, clients):
        argv = ["/usr/bin/sysbench", "--db-driver=mysql", "--mysql-socket=" + SOCKET, "--mysql-user=root",
                "--mysql-db=sbtest", "--db-ps-mode=disable", "--rand-type=uniform", "--tables=1",
                f"--threads={clients}", "--time=600", "--report-interval=1", *options,
                f"/usr/share/sysbench/{script}.lua", "run"]
        self.said = []
        self.rates = {}  # by second, of which the first is 1
        self.process = spawn(argv, server.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.read_until("Threads started!")
        self.began = time.monotonic()

    def read_until(self, text):
        for line in self.process.stdout:
            self.said = [*self.said[-20:], line.strip()]
            rate = re.match(r"\[ (\d+)s \] thds: \d+ tps: ([0-9.]+) ", line)
            if rate:
                self.rates[int(rate[1])] = float(rate[2])
            if text in line:
                return
        errors = [line for line in self.said if "FATAL" in line]
        raise Failure(f"sysbench ended early: {(errors or self.said or ['it said nothing'])[0]}")

    def wait_for_second(self, second):
        while max(self.rates, default=0) < second:
            self.read_until("s ] thds:")

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def fill(server, engine, rows, options):
    argv = ["/usr/bin/sysbench", "--db-driver=mysql", "--mysql-socket=" + SOCKET, "--mysql-user=root",
            "--mysql-db=sbtest", "--rand-type=uniform", "--tables=1", f"--table-size={rows}",
            "--mysql-storage-engine=" + engine, *options, "/usr/share/sysbench/oltp_read_only.lua", "prepare"]
    loader = spawn(argv, server.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        said, _ = loader.communicate(timeout=300)
    except subprocess.TimeoutExpired:
        stop(loader, 0)
        raise Failure("sysbench did not fill its table within five minutes")
    if loader.returncode != 0:
        raise Failure(f"sysbench could not fill its table: {said.strip().splitlines()[-1:]}")
