"""A thread that starts processes and waits for them, beside two that compute."""
import os
import subprocess

import gate


def start(g):
    started = 0
    while g.open:
        subprocess.call(command, stdout=nowhere, stderr=nowhere, close_fds=True)
        started += 1
    return started


# It stands in every root, and does next to nothing.
command = ['/lib64/ld-linux-x86-64.so.2']
nowhere = os.open(os.devnull, os.O_WRONLY)
gate.run((start, 'starts'), (gate.busy, 'computes-0'), (gate.busy, 'computes-1'))
