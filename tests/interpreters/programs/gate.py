"""What the programs here share: threads that wait at a gate until all of them exist.

    python PROGRAM SECONDS               runs for so long
    python PROGRAM gate [NUMBER...]      prints "ready", runs for as long as a line on standard input says
                                         ("0.5"), prints "done WORK" with how often its threads went round,
                                         and so on; ends with standard input

Between "done" and the next line no thread does anything: a test that looks in this time counts all of what
was done, and nothing else. Runs on Python 2.7, on 3.6 and later, on PyPy and on Jython.
"""
import os
import sys
import threading
import time


def arguments(defaults):
    """The numbers after the first argument, or these."""
    given = [int(number) for number in sys.argv[2:]]
    return given + list(defaults[len(given):])


def name_thread(name):
    """For the kernel, which Python does not tell before 3.14."""
    try:
        with open('/proc/thread-self/comm', 'w') as comm:
            comm.write(name)
    except (IOError, OSError):
        pass


class Gate(object):
    def __init__(self):
        self.open = False      # while the threads are to work
        self.ended = False
        self.work = []         # of each thread
        self.changed = threading.Condition()
        self.generation = 0
        self.inside = 0
        self.threads = []

    def add(self, function, name, *more):
        """A thread that runs function(gate, *more) each time the gate opens; it returns the work done."""
        self.work.append(0)
        thread = threading.Thread(target=self.live, args=(len(self.work) - 1, function, name) + more)
        thread.daemon = True
        self.threads.append(thread)

    def live(self, index, function, name, *more):
        name_thread(name)
        seen = 0
        while True:
            with self.changed:
                while self.generation == seen and not self.ended:
                    self.changed.wait()
                if self.ended:
                    return
                seen = self.generation
            self.work[index] += function(self, *more) or 0
            with self.changed:
                self.inside -= 1
                self.changed.notify_all()

    def once(self, seconds):
        with self.changed:
            self.open = True
            self.inside = len(self.threads)
            self.generation += 1
            self.changed.notify_all()
        time.sleep(seconds)
        self.open = False
        with self.changed:
            while self.inside:
                self.changed.wait()

    def run(self):
        for thread in self.threads:
            thread.start()
        if sys.argv[1:2] != ['gate']:
            self.once(float(sys.argv[1]) if len(sys.argv) > 1 else 2)
        else:
            say('ready')
            while True:
                line = os.read(0, 64)
                if not line.strip():
                    break
                self.once(float(line))
                say('done %d' % sum(self.work))
        with self.changed:
            self.ended = True
            self.changed.notify_all()
        for thread in self.threads:
            thread.join()


def say(text):
    os.write(1, (text + '\n').encode())


def busy(gate):
    """Computes, and never lets the GIL go of its own will."""
    rounds = 0
    while gate.open:
        n = 1000
        while n:
            n -= 1
        rounds += 1
    return rounds


def run(*threads):
    """run((function, name, argument...), ...)"""
    gate = Gate()
    for thread in threads:
        gate.add(*thread)
    gate.run()
