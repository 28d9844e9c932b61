#include "userspace/experiment/program/script_process.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "userspace/base/file_io.h"
#include "userspace/base/quote.h"
#include "userspace/experiment/run/confine.h"

namespace gilscope {
namespace {

constexpr size_t kErrorsKept = 4096;

void set_nonblocking(const Fd& fd) {
  ::fcntl(fd.get(), F_SETFL, O_NONBLOCK);
}

}  // namespace

Result<PipeEnds> PipeEnds::make() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC)) return fail_errno("pipe2");
  PipeEnds made;
  made.read = Fd(ends[0]);
  made.write = Fd(ends[1]);
  return made;
}

Result<ScriptProcess> ScriptProcess::prepare() {
  ScriptProcess process;
  for (PipeEnds* pipe : {&process.gate_, &process.results_, &process.errors_}) {
    auto made = PipeEnds::make();
    if (!made) return fail(made.error());
    *pipe = std::move(*made);
  }
  set_nonblocking(process.results_.read);
  set_nonblocking(process.errors_.read);
  return process;
}

ScriptProcess::~ScriptProcess() {
  if (!child_) return;
  kill();
  child_->wait();
}

Status ScriptProcess::start(const std::vector<std::string>& command, const Options& options) {
  const Fd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!nothing) return fail_errno("cannot open /dev/null");
  ChildOptions child;
  child.inherited = options.owner->inherited;
  child.user = options.owner->user;
  child.root = options.root;
  child.standard[0] = options.input >= 0 ? options.input : nothing.get();
  child.standard[1] = child.standard[2] = errors_.write.get();
  child.descriptors = options.descriptors;
  child.descriptors.push_back(gate_.read.get());
  if (options.has_results) child.descriptors.push_back(results_.write.get());
  child.variables = options.variables;
  child.dies_with_parent = true;
  child.in_child = [&options]() -> Status {
    if (Status bound = bind_to(options.cpus, *options.limiter); !bound) return bound;
    options.stops->begin_in_worker();
    return options.in_child();
  };
  auto started = Child::start(command, child);
  if (!started) return fail(started.error());
  child_.emplace(std::move(*started));
  if (Status ready = options.before_release(); !ready) {
    child_.reset();
    return ready;
  }
  if (Status released = child_->release(); !released) {
    child_.reset();
    return released;
  }
  // Its own ends: with them open here, the end of the script would not be the end of its pipes.
  gate_.read = Fd();
  results_.write = Fd();
  errors_.write = Fd();
  return {};
}

Status ScriptProcess::say(std::string_view word) {
  return write_all(gate_.write.get(), std::string(word) + "\n",
                   "cannot write to the script's gate");
}

void ScriptProcess::kill() const {
  if (child_) child_->signal(SIGKILL);
}

Result<std::vector<ScriptMessage>> ScriptProcess::read_results() {
  std::vector<ScriptMessage> messages;
  char bytes[16384];
  // A script that writes without end must not keep this process here.
  for (int turn = 0; turn < 64; ++turn) {
    const ssize_t got = ::read(results_.read.get(), bytes, sizeof(bytes));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      if (got == 0) results_.read = Fd();
      break;
    }
    auto taken = reader_.take({bytes, static_cast<size_t>(got)});
    if (!taken) return fail(taken.error());
    for (ScriptMessage& message : *taken) messages.push_back(std::move(message));
  }
  return messages;
}

void ScriptProcess::read_errors() {
  char bytes[4096];
  for (int turn = 0; turn < 64; ++turn) {
    const ssize_t got = ::read(errors_.read.get(), bytes, sizeof(bytes));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      if (got == 0) errors_.read = Fd();
      return;
    }
    last_errors_.append(bytes, static_cast<size_t>(got));
    if (last_errors_.size() > kErrorsKept) last_errors_.erase(0, last_errors_.size() - kErrorsKept);
  }
}

CommandEnd ScriptProcess::wait() {
  const CommandEnd end = child_->wait();
  child_.reset();
  return end;
}

std::string ScriptProcess::how_it_ended(const CommandEnd& end) {
  read_errors();
  std::string text;
  if (WIFSIGNALED(end.status)) {
    text = fmt::format("was killed by signal {} ({})", WTERMSIG(end.status),
                       strsignal(WTERMSIG(end.status)));
  } else {
    text = fmt::format("ended with status {}", WEXITSTATUS(end.status));
  }
  std::string_view said = last_errors_;
  while (!said.empty() && (said.back() == '\n' || said.back() == ' ')) said.remove_suffix(1);
  said.remove_prefix(said.rfind('\n') + 1);
  constexpr size_t kShown = 200;
  if (!said.empty()) text += ": " + printable(said.substr(0, kShown));
  return text;
}

}  // namespace gilscope
