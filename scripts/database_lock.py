"""What scripts/database-lock does once it is alone with its mounts: see there."""
import argparse
import csv
import io
import json
import os
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys

from database_server import Failure, Load, Server, fill, spawn, stop
from database_tables import print_lock, print_model, print_witness

EXIT_ERROR, EXIT_NO_DATA, EXIT_INTERRUPTED = 2, 3, 130
SETTLING_SECONDS = 1
TRIES_TO_FIND = 3

# `whole` and `split` are statements that make the lock one, and that split it or do without it.
LOCKS = {
    "key-cache": {
        "engine": "myisam", "rows": 10000,
        "options": ["--key-buffer-size=64M", "--myisam-use-mmap=1"],
        "load": "select_random_points", "load_options": ["--random-points=100"],
        "whole": "SET GLOBAL key_cache_segments = 1",
        "split": "SET GLOBAL key_cache_segments = 16", "split_name": "16 segments",
    },
    "query-cache": {
        "engine": "innodb", "rows": 10000,
        "options": ["--query-cache-type=1", "--query-cache-size=64M"],
        "load": "oltp_point_select", "load_options": [],
        "whole": "SET GLOBAL query_cache_type = ON",
        "split": "SET GLOBAL query_cache_type = OFF", "split_name": "without it",
    },
}
MODELS = ["sharded:1", "sharded:16"]
MODEL_WORKLOAD = "mixed:n=200,compute=10k,block=100us"


class Ended(BaseException):
    """By a signal."""


class Gilscope:
    def __init__(self, path, scratch):
        self.path, self.scratch, self.reports = path, scratch, 0
        self.child = None

    def run(self, *arguments):
        """Its standard output. A failure is its own, with its exit code."""
        self.child = spawn([self.path, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        out, err = self.child.communicate()
        if self.child.returncode != 0:
            lines = [line for line in err.splitlines() if line.strip()]
            failure = Failure(lines[-1] if lines else f"{self.path} {arguments[0]} failed and said nothing")
            failure.status = self.child.returncode
            raise failure
        return out

    def attach(self, pid, lock, seconds, name=None):
        """The report of that long, as its derived numbers and the window's edges."""
        self.reports += 1
        out = os.path.join(self.scratch, name or f"attach-{self.reports}")
        self.run("attach", str(pid), "--lock", lock, "--for", f"{seconds}s", "--out", out, "--quiet")
        with open(os.path.join(out, "report.json")) as file:
            run = json.load(file)["cells"][0]["runs"][0]
        cell = json.loads(self.run("show", out, "--json"))["cells"][0]
        if not name:
            shutil.rmtree(out)
        return cell, run["opened_ns"] / 1e9, run["window_ns"] / 1e9


def say(text):
    print(text, file=sys.stderr, flush=True)


def start_load(server, kind, clients):
    return Load(server, kind["load"], kind["load_options"], clients)


def find_lock(gilscope, server, kind, clients):
    """The mutex that the load contends for most: where it is, and how --lock names it from now on."""
    load = start_load(server, kind, clients)
    try:
        load.wait_for_second(SETTLING_SECONDS)
        for attempt in range(1, TRIES_TO_FIND + 1):
            try:
                cell, _, _ = gilscope.attach(server.pid, "mutex:auto", 1)
                break
            except Failure as failure:
                if getattr(failure, "status", 0) != EXIT_NO_DATA or attempt == TRIES_TO_FIND:
                    raise
    finally:
        load.close()
    place = cell["subject"]["gil"]
    address = server.address_of(place)
    return place, address, f"mutex@{address:#x}" if address else "mutex:auto"


def measure(gilscope, server, kind, clients, lock, seconds, name):
    """Transactions a second; and of a traced run, where `lock` is not None, what gilscope saw meanwhile.
    None where no thread was seen to wait for any mutex."""
    load = start_load(server, kind, clients)
    try:
        load.wait_for_second(SETTLING_SECONDS)
        if lock is None:
            first, last, cell, window = SETTLING_SECONDS + 1, SETTLING_SECONDS + seconds, None, None
        else:
            # Whole seconds of the load fit into one more second of the window.
            try:
                cell, opened, window = gilscope.attach(server.pid, lock, seconds + 1, name)
            except Failure as failure:
                # A few clients may never have to wait.
                if getattr(failure, "status", 0) == EXIT_NO_DATA and lock == "mutex:auto":
                    return None
                raise
            first = int(opened - load.began) + 2
            last = int(opened + window - load.began)
            if last < first:
                raise Failure(f"no whole second of the load was traced: {opened - load.began:.1f} s to {window:.1f} s")
        load.wait_for_second(last)
        rate = statistics.mean(load.rates[second] for second in range(first, last + 1))
    finally:
        load.close()
    return {"clients": clients, "transactions_per_s": rate, "seen": cell and facts(cell, clients, window)}


def facts(cell, clients, window):
    subject, gil = cell["subject"], cell["segments"]["gil"]
    waits = subject["waits"] or {}
    return {
        "failed_per_s": subject["attempts"]["failed"] / window,
        "holder_preempted_per_s": sum(core["holder_preempted"] or 0 for core in cell["each_core"]) / window,
        "waited_share": waits["waited_ns"] / 1e9 / window / clients if waits else None,
        "handoffs": gil["handoff"]["count"],
        "handoff_p50_ns": gil["handoff"]["p50_ns"], "handoff_p99_ns": gil["handoff"]["p99_ns"],
        "records_dropped": cell["segments"]["dropped"],
        "doubt": subject["doubt"], "sentence": subject["sentence"],
    }


# Counts what threads do in futex(2) on one address. A wait that finds the word changed returns at once.
WITNESS = """
tracepoint:syscalls:sys_enter_futex /pid == %d && args->uaddr == %d/
{ if ((args->op & 127) == 0) { @waits[tid] = 1; } else { @wakes = count(); } }
tracepoint:syscalls:sys_exit_futex /@waits[tid]/
{ if (args->ret == 0) { @woken = count(); } else { @at_once = count(); } delete(@waits[tid]); }
interval:s:%d { exit(); }
END { clear(@waits); }
"""


def witness(server, kind, clients, address, seconds):
    """What bpftrace counts of the lock's futex a second; None where it is not here."""
    if not address or not shutil.which("bpftrace"):
        return None
    subprocess.run(["mount", "-t", "tracefs", "tracefs", "/sys/kernel/tracing"], check=False, stderr=subprocess.DEVNULL)
    load = start_load(server, kind, clients)
    try:
        load.wait_for_second(SETTLING_SECONDS)
        tracer = spawn(["bpftrace", "-e", WITNESS % (server.pid, address, seconds)],
                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        out, _ = tracer.communicate()
    finally:
        load.close()
    counts = dict(re.findall(r"@(\w+): (\d+)", out))
    return {key: int(counts.get(key, 0)) / seconds for key in ("woken", "at_once", "wakes")} if counts else None


def measure_all(gilscope, server, kind, options):
    rows, places, witnessed = [], [], None
    order = random.Random(options.seed)
    for block in range(options.blocks):
        settings = ["whole", "split"]
        order.shuffle(settings)
        for setting in settings:
            server.query(kind[setting])
            lock = None
            if setting == "whole":
                place, address, lock = find_lock(gilscope, server, kind, max(options.clients))
                places.append(place)
                if not witnessed:
                    witnessed = witness(server, kind, max(options.clients), address, options.seconds)
            runs = [(clients, traced) for clients in options.clients
                    for traced in ([False, True] if setting == "whole" else [False])]
            order.shuffle(runs)
            for clients, traced in runs:
                say(f"block {block + 1} of {options.blocks}: {setting}, {clients} clients{', traced' * traced}")
                name = f"{setting}-{clients}-clients-block-{block}"
                row = measure(gilscope, server, kind, clients, lock if traced else None, options.seconds, name)
                if row:
                    rows.append({**row, "block": block, "setting": setting, "traced": traced})
    return rows, places, witnessed


def measure_model(gilscope, options):
    """Operations a second of each untraced run."""
    out = os.path.join(gilscope.scratch, "model")
    arguments = [part for model in MODELS for part in ("--policy", model)]
    for clients in options.clients:
        arguments += ["--threads", str(clients)]
    say(f"the model: {' '.join(MODELS)} on {MODEL_WORKLOAD}")
    gilscope.run("run", *arguments, "--workload", MODEL_WORKLOAD, "--arrangement", "threaded", "--cpus", "all",
                 "--blocks", str(options.blocks), "--warmup", "1", "--seed", str(options.seed), "--out", out, "--quiet")
    rows = csv.DictReader(io.StringIO(gilscope.run("export", out, "--format", "csv", "-o", "-")))
    return [{"policy": row["policy"], "threads": int(row["threads"]), "block": int(row["block"]),
             "operations_per_s": float(row["workload.operations_per_s"])} for row in rows
            if row["trace"] == "off" and row["warmup"] in ("0", "false") and row["workload.operations_per_s"]]


def study(options, gilscope, servers):
    kind = LOCKS[options.lock]

    def start(**more):
        server = Server(options.root, kind["options"], **more)
        servers.append(server)
        fill(server, kind["engine"], kind["rows"], [])
        server.query(kind["whole"])
        return server

    busy = os.getloadavg()[0]
    # Naming its mutexes costs the server time, so another one does.
    say("which lock it is")
    naming = start(names_locks=True)
    place, address, _ = find_lock(gilscope, naming, kind, max(options.clients))
    name = address and naming.name_at(address)
    naming.close()

    server = start()
    version = server.query("SELECT version()")[0][0]
    rows, places, witnessed = measure_all(gilscope, server, kind, options)
    server.close()
    model = measure_model(gilscope, options)

    last = places[-1]
    print(f"MariaDB {version}, {options.lock}, sysbench {' '.join([kind['load'], *kind['load_options']])}, "
          f"{len(os.sched_getaffinity(0))} CPUs, load average {busy:.1f} when it began")
    print(f"The most contended mutex: {last['object']}+{last['offset']:#x}, {last['confirmed_by']}")
    print(f"A server that names its mutexes calls its own ({place['object']}+{place['offset']:#x}) {name or 'nothing'}")
    print_lock(kind, rows, options)
    print_witness(witnessed, options)
    print_model(MODELS, MODEL_WORKLOAD, model, rows, options)
    return {"version": version, "lock": options.lock, "name": name, "places": places, "rows": rows, "witness": witnessed,
            "model": model}


def arguments():
    parser = argparse.ArgumentParser()
    for name in ("self", "root", "gilscope", "lock", "out"):
        parser.add_argument("--" + name)
    for name in ("blocks", "seconds", "seed"):
        parser.add_argument("--" + name, type=int)
    parser.add_argument("--clients", type=lambda text: sorted({int(part) for part in text.split(",")}))
    return parser.parse_args()


def ended(number, _):
    raise Ended(number)


def main():
    options = arguments()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, ended)
    # Reports that nobody wants to keep are on memory of this process's own, as the server is.
    scratch = options.out
    if scratch:
        os.makedirs(scratch)
    else:
        scratch = options.root + "/tmp"
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2g", "tmpfs", scratch], check=True)
    gilscope, servers = Gilscope(os.path.abspath(options.gilscope), scratch), []
    try:
        results = study(options, gilscope, servers)
        if options.out:
            with open(os.path.join(options.out, "results.json"), "w") as file:
                json.dump(results, file, indent=1)
        return 0
    except Failure as failure:
        say(f"{options.self}: {failure}")
        return getattr(failure, "status", EXIT_ERROR)
    except Ended as signal_number:
        say(f"{options.self}: interrupted")
        return EXIT_INTERRUPTED if signal_number.args[0] == signal.SIGINT else 128 + signal_number.args[0]
    finally:
        if gilscope.child:
            stop(gilscope.child)
        for server in servers:
            server.close()


if __name__ == "__main__":
    sys.exit(main())
