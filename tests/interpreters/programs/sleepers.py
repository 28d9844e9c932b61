"""Threads that sleep for a millisecond and do little in between, beside one that computes."""
import time

import gate


def sleeper(g):
    naps = 0
    while g.open:
        time.sleep(0.001)
        naps += sum(range(50)) == 1225
    return naps


gate.run((gate.busy, 'computes'), *[(sleeper, 'sleeps-%d' % i) for i in range(6)])
