"""Sixteen threads that count, most of which wait at any time."""
import gate

gate.run(*[(gate.busy, 'counts-%d' % i) for i in range(16)])
