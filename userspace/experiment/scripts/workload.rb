# Does what a measured thread of gilscope's models does (userspace/workload), for real Rubies: 3.1 and 3.3. scripts.h
# has the protocol.

# RUBYLIB names directories that stand before Ruby's own.
ENV.fetch('RUBYLIB', '').split(':').each { |place| $LOAD_PATH.delete(File.expand_path(place)) }

require 'io/nonblock'
require 'io/wait'
require 'json'
require 'socket'

Thread.report_on_exception = false

def monotonic_ns
  Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)
end

# Names the calling thread for the kernel. Returns its tid, or nil where neither /proc nor Ruby tells.
def name_thread(name)
  File.write('/proc/thread-self/comm', name)
  Integer(File.readlink('/proc/thread-self').split('/').last)
rescue SystemCallError
  Thread.current.respond_to?(:native_thread_id) ? Thread.current.native_thread_id : nil
end

# --- the engine ---------------------------------------------------------------------------------

# The other end of both pipes.
class Engine
  attr_writer :over

  def initialize(gate, results)
    @gate = IO.for_fd(gate, 'r', autoclose: false)
    @results = IO.for_fd(results, 'w', autoclose: false)
    @results.sync = true
    @writing = Mutex.new
    @over = false
    # It asks for urgent data, which no pipe has, and so waits for its end alone: the thread never needs the
    # GVL before that.
    watched = IO.for_fd(gate, 'r', autoclose: false)
    Thread.new do
      name_thread('gate')
      watched.wait_priority
      exit!(1) unless @over
    end
  end

  def say(what)
    line = "#{JSON.generate(what)}\n"
    @writing.synchronize { @results.write(line) }
  end

  def fail(why)
    say({ failed: why.split.join(' ') })
  ensure
    exit!(1)
  end

  # The next one; nil after the last.
  def word
    @gate.gets&.chomp
  end
end

# --- tasks (userspace/workload/tasks.cpp) -------------------------------------------------------
#
# Each makes what one thread does over and over.

# The text that the models' tasks have.
def some_text(length)
  state = 12_345
  drawn = lambda do
    state = (state * 1_664_525 + 1_013_904_223) % 2**32
    state >> 16
  end
  text = +''
  while text.size < length
    (2 + drawn.call % 8).times { text << ('a'.ord + drawn.call % 26) }
    text << (drawn.call % 8 == 0 ? '@' : drawn.call % 10 == 0 ? ".\n" : ' ')
  end
  text[0, length]
end

def count_down(n)
  while n > 0
    n -= 1
  end
end

# The spigot of Rabinowitz and Wagon, as in userspace/eval/programs.h.
def pi_digits(n)
  length = 10 * n / 3
  rest = [2] * length
  result = 0
  while n > 0
    carry = 0
    i = length
    while i > 0
      carry = 10 * rest[i - 1] + carry * i
      divisor = 2 * i - 1
      rest[i - 1] = carry % divisor
      i -= 1
      carry /= divisor
    end
    rest[0] = carry % 10
    result = (result * 10 + carry / 10) % 1_000_000_000
    n -= 1
  end
  result
end

def task_of(name)
  case name
  when 'count' then -> { count_down(1000) }
  when 'pidigits' then -> { pi_digits(50) }
  when 'regex'
    # Ruby holds the GVL meanwhile, but lets it go within a search when its turn is over.
    text = some_text(2000)
    -> { text.scan(/[a-z]+@([a-z]+)( |\.)/) }
  when 'compress'
    require 'zlib'
    text = some_text(6000)
    -> { Zlib::Deflate.deflate(text) }
  else raise ArgumentError, "there is no task #{name}"
  end
end

# --- workloads (userspace/workload) -------------------------------------------------------------
#
# Each prepares one measured thread and returns its body, which gets the thread.

# A datagram begins with the time of its sending; the last ones have 0.
NO_TIME = [0].pack('Q<')

module Workloads
  module_function

  def count(task, _index)
    n = task['parameters']['n']
    lambda do |thread|
      count_down(n)
      thread.operations = n
    end
  end

  def mixed(task, _index)
    n, compute, block_ns, seconds_ns = task['parameters'].values_at('n', 'compute', 'block', 'seconds')
    block = block_ns / 1e9
    lambda do |thread|
      last = seconds_ns && monotonic_ns + seconds_ns
      while thread.operations < n && (last.nil? || monotonic_ns < last)
        count_down(compute)
        sleep(block)
        thread.operations += 1
      end
    end
  end

  def throughput(task, _index)
    n = task['parameters']['n']
    run_once = task_of(task['parameters']['task'])
    lambda do |thread|
      while thread.operations < n
        run_once.call
        thread.operations += 1
      end
    end
  end

  def connection(task, index)
    socket = Socket.for_fd(task['connections'][index])
    # Of a socket that may not block Ruby would ask again and again, each time without the GVL.
    socket.nonblock = false
    socket
  end

  # A client that has left ends the thread, and is no failure.
  def until_gone
    lambda do |thread|
      yield thread
    rescue EOFError, Errno::EPIPE, Errno::ECONNRESET, Errno::ECONNREFUSED
      nil
    end
  end

  def latency(task, index)
    socket = connection(task, index)
    size = NO_TIME.bytesize
    lambda do |thread|
      loop do
        ping = socket.recv(size)
        break if ping.nil? || ping.bytesize < size || ping == NO_TIME
        thread.sample(ping.unpack1('Q<'), monotonic_ns)
        thread.operations += 1
      end
    end
  end

  def bandwidth(task, index)
    socket = connection(task, index)
    size = task['parameters']['size']
    heading = NO_TIME.bytesize
    until_gone do |thread|
      loop do
        datagram = socket.recv(size)
        break if datagram.nil? || datagram.bytesize < heading || datagram.start_with?(NO_TIME)
        socket.send(datagram, 0)
        thread.operations += 1
      end
    end
  end

  def echo(task, index)
    socket = connection(task, index)
    size = task['parameters']['size']
    until_gone do |thread|
      loop do
        request = socket.recv(size)
        while request && !request.empty? && request.bytesize < size
          more = socket.recv(size - request.bytesize)
          break if more.nil? || more.empty?
          request << more
        end
        break if request.nil? || request.bytesize < size
        sent = 0
        sent += socket.send(request.byteslice(sent, size), 0) while sent < size
        thread.operations += 1
      end
    end
  end

  def file(task, index)
    size, seconds_ns = task['parameters'].values_at('size', 'seconds')
    file = IO.for_fd(task['connections'][index], 'r+')
    data = 'x' * size
    places = 64
    lambda do |thread|
      last = monotonic_ns + seconds_ns
      while (start = monotonic_ns) < last
        written = file.pwrite(data, thread.operations % places * size)
        raise IOError, "cannot write more than #{written} of #{size} bytes" if written != size
        file.fsync
        thread.sample(start, monotonic_ns)
        thread.operations += 1
      end
    end
  end

  def convoy(task, _index)
    burst, seconds_ns = task['parameters'].values_at('burst', 'seconds')
    ends = Array.new(2) { UDPSocket.new.tap { |one| one.bind('127.0.0.1', 0) } }
    ends.zip(ends.reverse) { |one, other| one.connect('127.0.0.1', other.addr[1]) }
    ends.each { |one| one.nonblock = false }
    lambda do |thread|
      now = monotonic_ns
      last = now + seconds_ns
      while now < last
        count_down(burst)
        start = monotonic_ns
        ends[0].send('x', 0)
        ends[1].recv(1)
        now = monotonic_ns
        thread.sample(start, now)
        thread.operations += 1
      end
    end
  end
end

# A computing thread beside the measured ones does this until the process ends.
def background(task)
  run_once = task_of(task)
  lambda do |thread|
    loop do
      run_once.call
      thread.operations += 1
    end
  end
end

# --- the run ------------------------------------------------------------------------------------

class Member
  SAMPLES_AT_MOST = 2**22

  attr_reader :name, :tid, :sent_ns, :samples_ns, :samples_lost
  attr_accessor :operations

  def initialize(engine, name, body)
    @name = name
    @operations = 0
    @sent_ns = []
    @samples_ns = []
    @samples_lost = 0
    @barrier = Queue.new
    @thread = Thread.new do
      @tid = name_thread(name)
      @at_barrier = true
      @barrier.pop
      started = monotonic_ns
      body.call(self)
      @active_ns = monotonic_ns - started
    rescue StandardError => e
      engine.fail("#{name}: #{e.message}")
    end
  end

  def at_barrier? = @at_barrier
  def go = @barrier.push(true)
  def join = @thread.join

  def sample(sent_ns, now_ns)
    if @sent_ns.size < SAMPLES_AT_MOST
      @sent_ns << sent_ns
      @samples_ns << now_ns - sent_ns
    else
      @samples_lost += 1
    end
  end

  def account
    { name: @name, operations: @operations, active_ns: @active_ns }.compact
  end
end

# Two spare threads that compute, so that a GVL can be found by how its waiters sleep.
class Contention
  def initialize(engine)
    @wanted = true
    @rounds = [0, 0]
    @threads = Array.new(2) do |index|
      Thread.new do
        name_thread("spare-#{index + 1}")
        while @wanted
          count_down(1000)
          @rounds[index] += 1
        end
      end
    end
    sleep(0.001) while @rounds.include?(0)
    engine.say({ contending: true })
  end

  def end
    @wanted = false
    @threads.each(&:join)
  end
end

# Main's part of a run. Returns its length.
def measure(task, measured, others)
  started = monotonic_ns
  others.each(&:go)
  joined = task['main_exit'] == 'join'
  threaded = task['arrangement'] == 'threaded' || !joined
  measured.each(&:go) if threaded
  if joined
    measured.each do |thread|
      thread.go unless threaded
      thread.join
    end
  elsif task['parameters']['seconds']
    sleep(task['parameters']['seconds'] / 1e9)
  end
  monotonic_ns - started
end

def run(task, engine)
  bodies = Array.new(task['threads']) { |index| Workloads.public_send(task['workload'], task, index) }
  measured = bodies.each_with_index.map { |body, i| Member.new(engine, "worker-#{i + 1}", body) }
  others = Array.new(task['background']) { |i| Member.new(engine, "background-#{i + 1}", background(task['task'])) }
  every = measured + others
  sleep(0.001) until every.all?(&:at_barrier?)
  named = [{ name: 'main', tid: name_thread('main') }] + every.map { |one| { name: one.name, tid: one.tid } }
  engine.say({ ready: { clock: 'monotonic', threads: named } })

  contention = nil
  loop do
    word = engine.word
    case word
    when 'go' then break
    when 'contend' then contention = Contention.new(engine)
    when 'rest'
      contention.end
      engine.say({ resting: true })
    when nil then exit!(1)
    else raise ArgumentError, "the gate said #{word.inspect}"
    end
  end

  wall_ns = measure(task, measured, others)
  engine.over = true
  engine.say({ done: { wall_ns: wall_ns, threads: every.map(&:account), results: {} } })
  engine.word
  at_once = 2048
  measured.each_with_index do |thread, index|
    thread.samples_ns.each_slice(at_once).zip(thread.sent_ns.each_slice(at_once)) do |samples_ns, sent_ns|
      engine.say({ samples_ns: samples_ns, sent_ns: sent_ns, thread: index + 1 })
    end
    next if thread.samples_lost == 0
    engine.say({ samples_ns: [], sent_ns: [], thread: index + 1, lost: thread.samples_lost })
  end
  exit!(0)
end

# The terminal's keys are for gilscope, which closes the gate.
trap('INT', 'IGNORE')
task = JSON.parse(ARGV[0])
engine = Engine.new(task['gate'], task['results'])
begin
  run(task, engine)
rescue StandardError => e
  engine.fail(e.message)
end
