"""Four threads that take turns by a condition of Python's own."""
import threading

import gate

turns = threading.Condition()
turn = [0]


def take_turns(g, me, threads):
    taken = 0
    while g.open:
        with turns:
            while turn[0] % threads != me and g.open:
                turns.wait()
            turn[0] += 1
            turns.notify_all()
        taken += 1
    with turns:
        turns.notify_all()
    return taken


gate.run(*[(take_turns, 'turn-%d' % i, i, 4) for i in range(4)])
