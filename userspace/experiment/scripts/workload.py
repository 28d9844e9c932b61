# Does what a measured thread of gilscope's models does (userspace/workload), for real interpreters: CPython 2.7 and
# 3.6 to 3.15, PyPy, and Jython 2.7. scripts.h has the protocol.
import sys

# Standard input is the script, for which Python puts the current directory in front of its own.
sys.path[:] = [place for place in sys.path if place != '']

import array
import errno
import json
import os
import signal
import struct
import threading
import time

JAVA = sys.platform.startswith('java')
CLOCK = 'monotonic'

# --- the interpreter's ways ---------------------------------------------------------------------

if JAVA:
    from jarray import zeros
    from java.io import FileDescriptor, FileInputStream, FileOutputStream, IOException
    from java.lang import Integer, Runtime, System
    from java.net import DatagramPacket, DatagramSocket, InetAddress
    from java.nio import ByteBuffer
    from java.util.concurrent import LinkedBlockingQueue, Semaphore

    monotonic_ns = System.nanoTime  # CLOCK_MONOTONIC, on Linux

    def leave(status):
        Runtime.getRuntime().halt(status)

    # Jython's os and socket know no descriptor that they have not made. Java reads and writes one by
    # read(2) and write(2), which of a socket are recv and send.
    def descriptor(number):
        make = FileDescriptor.getDeclaredConstructor(Integer.TYPE)
        make.setAccessible(True)
        return make.newInstance(number)

    def reader(number):
        stream = FileInputStream(descriptor(number))

        def read(size):
            room = zeros(size, 'b')
            got = stream.read(room)
            return room[:max(got, 0)].tostring()
        return read

    def writer(number):
        stream = FileOutputStream(descriptor(number))
        return lambda data: stream.write(array.array('b', data))

    def barrier():
        return Semaphore(0)

    # A client that has left is an end as Python tells it, and no failure.
    def unless_gone(call):
        def called(argument):
            try:
                return call(argument)
            except IOException as error:
                for number, sign in ((errno.EPIPE, 'pipe'), (errno.ECONNRESET, 'reset'),
                                     (errno.ECONNREFUSED, 'refused')):
                    if sign in error.getMessage():
                        raise IOError(number, sign)
                raise
        return called

    def connection(number, datagrams):
        return unless_gone(reader(number)), unless_gone(writer(number))

    def pair_of_datagrams():
        here = InetAddress.getByName('127.0.0.1')
        ends = [DatagramSocket(0, here), DatagramSocket(0, here)]
        for end, other in (ends, reversed(ends)):
            end.connect(here, other.getLocalPort())
        room = DatagramPacket(zeros(1, 'b'), 1)
        byte = DatagramPacket(bytearray(b'x'), 1)
        return lambda: ends[0].send(byte), lambda: ends[1].receive(room)

    def file_of(number, size):
        channel = FileOutputStream(descriptor(number)).getChannel()
        data = ByteBuffer.wrap(array.array('b', b'x' * size))

        def write(place):
            data.clear()
            while data.hasRemaining():
                channel.write(data, place * size + data.position())
        return write, lambda: channel.force(True)  # fsync
else:
    leave = os._exit

    def reader(number):
        return lambda size: os.read(number, size)

    def writer(number):
        def write(data):
            while data:
                data = data[os.write(number, data):]
        return write

    def barrier():
        lock = threading.Lock()
        lock.acquire()
        return lock

    def connection(number, datagrams):
        import socket
        kind = socket.SOCK_DGRAM if datagrams else socket.SOCK_STREAM
        end = socket.fromfd(number, socket.AF_INET, kind)
        return end.recv, end.send if datagrams else end.sendall

    def pair_of_datagrams():
        import socket
        ends = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
        for end in ends:
            end.bind(('127.0.0.1', 0))
        for end, other in (ends, reversed(ends)):
            end.connect(other.getsockname())
        return lambda: ends[0].send(b'x'), lambda: ends[1].recv(1)

    def file_of(number, size):
        data = b'x' * size

        def write(place):
            # 2.7 has no pwrite. The places come one after the other, and so it seeks once a round only.
            if hasattr(os, 'pwrite'):
                written = os.pwrite(number, data, place * size)
            else:
                if place == 0:
                    os.lseek(number, 0, os.SEEK_SET)
                written = os.write(number, data)
            if written != size:
                raise IOError('cannot write more than %d of %d bytes' % (written, size))
        return write, lambda: os.fsync(number)

    if hasattr(time, 'monotonic_ns'):
        monotonic_ns = time.monotonic_ns
    elif hasattr(time, 'clock_gettime'):
        # 3.6. A float holds ns exactly for a hundred days after the boot.
        def monotonic_ns():
            return int(time.clock_gettime(time.CLOCK_MONOTONIC) * 1e9)
    else:
        # 2.7
        try:
            import ctypes
            # PyDLL holds the GIL during the call, as the interpreter's own functions do.
            clock_gettime = ctypes.PyDLL(None).clock_gettime

            def monotonic_ns(pair=ctypes.c_long * 2):
                now = pair()
                clock_gettime(1, now)
                return now[0] * 1000000000 + now[1]
        except ImportError:
            CLOCK = 'realtime'

            def monotonic_ns():
                return int(time.time() * 1e9)


def name_thread(name):
    """Names the calling thread for the kernel. Returns its tid; None where neither /proc nor Python tells."""
    try:
        with open('/proc/thread-self/comm', 'w') as comm:
            comm.write(name)
        return int(os.readlink('/proc/thread-self').split('/')[-1])
    except (IOError, OSError):
        return threading.get_native_id() if hasattr(threading, 'get_native_id') else None


def why():
    kind, error, _ = sys.exc_info()
    return str(error) or kind.__name__


# --- the engine ---------------------------------------------------------------------------------

class Engine(object):
    """The other end of both pipes."""

    def __init__(self, gate, results):
        self.write = writer(results)
        self.writing = threading.Lock()
        self.read = reader(gate)
        self.begun = b''
        self.over = False
        if JAVA:
            # One thread reads, and so knows of the end: without a GIL it disturbs nobody.
            self.words = LinkedBlockingQueue()
            self.start(self.read_all)
        else:
            self.start(self.watch, gate)

    def start(self, body, *arguments):
        def live():
            name_thread('gate')
            body(*arguments)
        thread = threading.Thread(target=live, name='gate')
        thread.daemon = True
        thread.start()

    def say(self, what):
        line = (json.dumps(what) + '\n').encode('ascii')
        with self.writing:
            self.write(line)

    def fail(self, why):
        try:
            self.say({'failed': ' '.join(why.split())})
        finally:
            leave(1)

    def word(self):
        """The next one; empty after the last."""
        if JAVA:
            return self.words.take()
        while b'\n' not in self.begun:
            got = self.read(256)
            if not got:
                return ''
            self.begun += got
        word, self.begun = self.begun.split(b'\n', 1)
        return word.decode('ascii')

    def read_all(self):
        begun = ''
        while True:
            got = self.read(256)
            if not got:
                if not self.over:
                    leave(1)
                self.words.put('')
                return
            begun += got
            while '\n' in begun:
                word, begun = begun.split('\n', 1)
                self.words.put(word)

    def watch(self, gate):
        # Asked for nothing, poll returns when the pipe has no writer any more: the thread never needs the
        # GIL before that.
        import select
        poll = select.poll()
        poll.register(gate, 0)
        poll.poll()
        if not self.over:
            leave(1)


# --- tasks (userspace/workload/tasks.cpp) -------------------------------------------------------
#
# Each makes what one thread does over and over.

def some_text(length):
    """The text that the models' tasks have."""
    state = [12345]

    def drawn():
        state[0] = (state[0] * 1664525 + 1013904223) % 2**32
        return state[0] >> 16
    text = ''
    while len(text) < length:
        for _ in range(2 + drawn() % 8):
            text += chr(ord('a') + drawn() % 26)
        text += '@' if drawn() % 8 == 0 else '.\n' if drawn() % 10 == 0 else ' '
    return text[:length]


def count_down(n):
    while n > 0:
        n -= 1


def pi_digits(n):
    """The spigot of Rabinowitz and Wagon, as in userspace/eval/programs.h."""
    length = 10 * n // 3
    rest = [2] * length
    result = 0
    while n > 0:
        carry = 0
        i = length
        while i > 0:
            carry = 10 * rest[i - 1] + carry * i
            divisor = 2 * i - 1
            rest[i - 1] = carry % divisor
            i -= 1
            carry //= divisor
        rest[0] = carry % 10
        result = (result * 10 + carry // 10) % 1000000000
        n -= 1
    return result


def counting():
    return lambda: count_down(1000)


def computing_pi():
    return lambda: pi_digits(50)


def searching():
    # CPython holds the GIL for the whole call.
    import re
    find = re.compile(r'[a-z]+@([a-z]+)( |\.)').findall
    text = some_text(2000)
    return lambda: find(text)


def compressing():
    import zlib
    text = some_text(6000).encode('ascii')
    return lambda: zlib.compress(text)


TASKS = {'count': counting, 'pidigits': computing_pi, 'regex': searching, 'compress': compressing}


# --- workloads (userspace/workload) -------------------------------------------------------------
#
# Each prepares one measured thread and returns its body, which gets the thread.

def count(task, index):
    n = task['parameters']['n']

    def body(thread):
        count_down(n)
        thread.operations = n
    return body


def mixed(task, index):
    n, compute = task['parameters']['n'], task['parameters']['compute']
    block = task['parameters']['block'] / 1e9
    seconds_ns = task['parameters'].get('seconds')
    sleep = time.sleep

    def body(thread):
        end = None if seconds_ns is None else monotonic_ns() + seconds_ns
        while thread.operations < n and (end is None or monotonic_ns() < end):
            count_down(compute)
            sleep(block)
            thread.operations += 1
    return body


def throughput(task, index):
    n = task['parameters']['n']
    run_once = TASKS[task['parameters']['task']]()

    def body(thread):
        while thread.operations < n:
            run_once()
            thread.operations += 1
    return body


# A datagram begins with the time of its sending; the last ones have 0. To Jython every machine is a
# big-endian one, so it says which these are.
HEADING = '<Q'
NO_TIME = struct.pack(HEADING, 0)


def latency(task, index):
    if CLOCK != 'monotonic':
        raise ValueError('this Python has no ctypes, and so no clock that it shares with the client')
    receive, _ = connection(task['connections'][index], True)
    size = len(NO_TIME)

    def body(thread):
        while True:
            ping = receive(size)
            if len(ping) < size or ping == NO_TIME:
                break
            thread.sample(struct.unpack(HEADING, ping)[0], monotonic_ns())
            thread.operations += 1
    return body


# A client that has left ends the thread, and is no failure.
def until_gone(serve):
    def body(thread):
        try:
            serve(thread)
        except (IOError, OSError) as error:
            if error.errno not in (errno.EPIPE, errno.ECONNRESET, errno.ECONNREFUSED):
                raise
    return body


def bandwidth(task, index):
    receive, send = connection(task['connections'][index], True)
    size = task['parameters']['size']
    heading = len(NO_TIME)

    def serve(thread):
        while True:
            datagram = receive(size)
            if len(datagram) < heading or datagram[:heading] == NO_TIME:
                break
            send(datagram)
            thread.operations += 1
    return until_gone(serve)


def echo(task, index):
    receive, send = connection(task['connections'][index], False)
    size = task['parameters']['size']

    def serve(thread):
        while True:
            request = receive(size)
            while 0 < len(request) < size:
                more = receive(size - len(request))
                if not more:
                    break
                request += more
            if len(request) < size:
                break
            send(request)
            thread.operations += 1
    return until_gone(serve)


def file(task, index):
    write, sync = file_of(task['connections'][index], task['parameters']['size'])
    seconds_ns = task['parameters']['seconds']
    places = 64

    def body(thread):
        end = monotonic_ns() + seconds_ns
        while monotonic_ns() < end:
            start = monotonic_ns()
            write(thread.operations % places)
            sync()
            thread.sample(start, monotonic_ns())
            thread.operations += 1
    return body


def convoy(task, index):
    send, receive = pair_of_datagrams()
    burst = task['parameters']['burst']
    seconds_ns = task['parameters']['seconds']

    def body(thread):
        now = monotonic_ns()
        end = now + seconds_ns
        while now < end:
            count_down(burst)
            start = monotonic_ns()
            send()
            receive()
            now = monotonic_ns()
            thread.sample(start, now)
            thread.operations += 1
    return body


WORKLOADS = {'count': count, 'mixed': mixed, 'throughput': throughput, 'latency': latency,
             'bandwidth': bandwidth, 'echo': echo, 'file': file, 'convoy': convoy}


# A computing thread beside the measured ones does this until the process ends.
def background(task):
    run_once = TASKS[task]()

    def body(thread):
        while True:
            run_once()
            thread.operations += 1
    return body


# --- the run ------------------------------------------------------------------------------------

SAMPLES_AT_MOST = 2**22  # of a thread


class Thread(object):
    def __init__(self, engine, name, body):
        self.engine = engine
        self.name = name
        self.body = body
        self.tid = None
        self.operations = 0
        self.active_ns = None
        self.sent_ns = array.array('l') if not JAVA else []
        self.samples_ns = array.array('l') if not JAVA else []
        self.samples_lost = 0
        self.barrier = barrier()
        self.at_barrier = False
        self.thread = threading.Thread(target=self.live, name=name)
        self.thread.daemon = True
        self.thread.start()

    def live(self):
        try:
            self.tid = name_thread(self.name)
            self.at_barrier = True
            self.barrier.acquire()
            started = monotonic_ns()
            self.body(self)
            self.active_ns = monotonic_ns() - started
        except:  # Java's are no Exception of Python's
            self.engine.fail('%s: %s' % (self.name, why()))

    def sample(self, sent_ns, now_ns):
        if len(self.sent_ns) < SAMPLES_AT_MOST:
            self.sent_ns.append(sent_ns)
            self.samples_ns.append(now_ns - sent_ns)
        else:
            self.samples_lost += 1

    def account(self):
        said = {'name': self.name, 'operations': self.operations}
        if self.active_ns is not None:
            said['active_ns'] = self.active_ns
        return said


class Contention(object):
    """Two spare threads that compute, so that a GIL can be found by how its waiters sleep."""

    def __init__(self, engine):
        self.wanted = True
        self.rounds = [0, 0]
        self.threads = []
        for index in range(2):
            thread = threading.Thread(target=self.compute, args=(index,), name='spare-%d' % (index + 1))
            thread.daemon = True
            thread.start()
            self.threads.append(thread)
        while 0 in self.rounds:
            time.sleep(0.001)
        engine.say({'contending': True})

    def compute(self, index):
        name_thread('spare-%d' % (index + 1))
        while self.wanted:
            count_down(1000)
            self.rounds[index] += 1

    def end(self):
        self.wanted = False
        for thread in self.threads:
            thread.join()


def measure(task, measured, others):
    """Main's part of a run. Returns its length."""
    started = monotonic_ns()
    for thread in others:
        thread.barrier.release()
    joined = task['main_exit'] == 'join'
    threaded = task['arrangement'] == 'threaded' or not joined
    if threaded:
        for thread in measured:
            thread.barrier.release()
    if joined:
        for thread in measured:
            if not threaded:
                thread.barrier.release()
            thread.thread.join()
    elif 'seconds' in task['parameters']:
        # As with Python's older thread module, main can only wait for threads by sleeping.
        time.sleep(task['parameters']['seconds'] / 1e9)
    return monotonic_ns() - started


def run(task, engine):
    if 'switch_interval_ns' in task:
        sys.setswitchinterval(task['switch_interval_ns'] / 1e9)
    if 'check_interval' in task:
        sys.setcheckinterval(task['check_interval'])
    make = WORKLOADS[task['workload']]
    bodies = [make(task, index) for index in range(task['threads'])]
    measured = [Thread(engine, 'worker-%d' % (i + 1), body) for i, body in enumerate(bodies)]
    others = [Thread(engine, 'background-%d' % (i + 1), background(task['task']))
              for i in range(task['background'])]
    every = measured + others
    while not all([thread.at_barrier for thread in every]):
        time.sleep(0.001)
    named = [{'name': 'main', 'tid': name_thread('main')}]
    named += [{'name': thread.name, 'tid': thread.tid} for thread in every]
    engine.say({'ready': {'clock': CLOCK, 'threads': named}})

    contention = None
    while True:
        word = engine.word()
        if word == 'go':
            break
        elif word == 'contend' and contention is None:
            contention = Contention(engine)
        elif word == 'rest' and contention is not None:
            contention.end()
            contention = None
            engine.say({'resting': True})
        elif word == '':
            leave(1)
        else:
            raise ValueError('the gate said %r' % word)

    wall_ns = measure(task, measured, others)
    engine.over = True
    engine.say({'done': {'wall_ns': wall_ns, 'threads': [thread.account() for thread in every], 'results': {}}})
    engine.word()
    at_once = 2048
    for number, thread in enumerate(measured):
        for at in range(0, len(thread.sent_ns), at_once):
            engine.say({'samples_ns': list(thread.samples_ns[at:at + at_once]),
                        'sent_ns': list(thread.sent_ns[at:at + at_once]), 'thread': number + 1})
        if thread.samples_lost:
            engine.say({'samples_ns': [], 'sent_ns': [], 'thread': number + 1, 'lost': thread.samples_lost})
    leave(0)


def main():
    # The terminal's keys are for gilscope, which closes the gate.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    task = json.loads(sys.argv[1])
    engine = Engine(task['gate'], task['results'])
    try:
        run(task, engine)
    except:
        engine.fail(why())


main()
