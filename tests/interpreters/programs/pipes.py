"""Pairs of threads that hand a byte to and fro through pipes, beside threads that compute: [2 1]."""
import os

import gate


def first(g, out, back):
    rounds = 0
    while g.open:
        os.write(out, b'x')
        os.read(back, 1)
        rounds += 1
    os.write(out, b'.')
    return rounds


def second(g, out, back):
    while os.read(out, 1) != b'.':
        os.write(back, b'x')


pairs, busy = gate.arguments([2, 1])
threads = []
for i in range(pairs):
    (from_first, out), (from_second, back) = os.pipe(), os.pipe()
    threads += [(first, 'first-%d' % i, out, from_second), (second, 'second-%d' % i, from_first, back)]
gate.run(*threads + [(gate.busy, 'computes-%d' % i) for i in range(busy)])
