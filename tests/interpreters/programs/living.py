"""Threads that work, and one that watches for others: exits with 3 if the process was traced by ptrace, or
got a signal."""
import signal
import sys
import time

import gate

noticed = []


def watch(g):
    while g.open:
        with open('/proc/self/status') as status:
            for line in status:
                if line.startswith('TracerPid:') and line.split()[1] != '0':
                    noticed.append(line)
        time.sleep(0.005)


for number in range(1, signal.NSIG):
    if number not in (signal.SIGKILL, signal.SIGSTOP, 32, 33):
        try:
            signal.signal(number, lambda number, frame: noticed.append('signal %d' % number))
        except (ValueError, OSError, RuntimeError):
            pass
gate.run((watch, 'watches'), (gate.busy, 'computes-0'), (gate.busy, 'computes-1'))
sys.exit(3 if noticed else 0)
