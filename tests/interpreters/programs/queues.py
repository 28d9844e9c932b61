"""Two producers and two consumers at a short queue: locks between threads, and the GIL below them."""
try:
    import queue
except ImportError:
    import Queue as queue

import gate

items = queue.Queue(8)


def produce(g):
    made = 0
    while g.open:
        items.put(made)
        made += 1
    items.put(None)
    return made


def consume(g):
    while items.get() is not None:
        sum(range(100))


gate.run(*[(produce, 'produces-%d' % i) for i in range(2)] + [(consume, 'consumes-%d' % i) for i in range(2)])
