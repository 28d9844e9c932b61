"""Threads that compress: zlib lets the GIL go for a short while, and holds it for a short while."""
import zlib

import gate

text = b''.join(b'%d ' % (i * i % 7919) for i in range(2000))


def compress(g):
    blocks = 0
    while g.open:
        zlib.decompress(zlib.compress(text, 1))
        blocks += 1
    return blocks


gate.run(*[(compress, 'compresses-%d' % i) for i in range(3)])
