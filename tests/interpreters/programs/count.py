"""Threads that count and do nothing else: [2]."""
import gate

threads, = gate.arguments([2])
gate.run(*[(gate.busy, 'counts-%d' % i) for i in range(threads)])
