"""Threads that let the GIL go for the shortest system call there is, again and again: [4]."""
import os

import gate


def short(g, nowhere):
    calls = 0
    while g.open:
        for _ in range(20):
            pass
        os.write(nowhere, b'x')
        calls += 1
    return calls


threads, = gate.arguments([4])
nowhere = os.open('/dev/null', os.O_WRONLY)
gate.run(*[(short, 'short-%d' % i, nowhere) for i in range(threads)])
