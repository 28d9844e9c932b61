"""Threads that start threads, which do little and end."""
import threading

import gate


def little():
    sum(range(2000))


def start(g):
    started = 0
    while g.open:
        some = [threading.Thread(target=little) for _ in range(4)]
        for thread in some:
            thread.start()
        for thread in some:
            thread.join()
        started += len(some)
    return started


gate.run((start, 'starts-0'), (start, 'starts-1'))
