"""Threads that make rings of objects, which the garbage collector must find."""
import gate


def allocate(g):
    made = 0
    while g.open:
        rings = []
        for i in range(200):
            ring = {'number': i, 'text': str(i) * 20}
            ring['self'] = [ring]
            rings.append(ring)
        made += len(rings)
    return made


gate.run(*[(allocate, 'allocates-%d' % i) for i in range(4)])
