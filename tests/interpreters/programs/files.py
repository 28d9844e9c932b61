"""Threads that write, read and remove small files."""
import os
import tempfile

import gate


def files(g, directory, name):
    done = 0
    path = os.path.join(directory, name)
    while g.open:
        with open(path, 'wb') as f:
            f.write(b'x' * 5000)
        with open(path, 'rb') as f:
            f.read()
        os.remove(path)
        done += 1
    return done


directory = tempfile.mkdtemp()
try:
    gate.run(*[(files, 'files-%d' % i, directory, str(i)) for i in range(4)])
finally:
    os.rmdir(directory)
