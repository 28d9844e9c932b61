// `gilscope top`: a picture a second of a process that runs, and of its lock. The process is only
// read.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <memory>

#include "userspace/base/kernel_time.h"
#include "userspace/base/output.h"
#include "userspace/base/quote.h"
#include "userspace/base/refusal.h"
#include "userspace/base/term.h"
#include "userspace/base/time.h"
#include "userspace/cli/recording.h"
#include "userspace/live/budget.h"
#include "userspace/live/screen.h"
#include "userspace/live/top_model.h"
#include "userspace/recording/child.h"
#include "userspace/recording/target.h"

namespace gilscope {
namespace {

constexpr uint64_t kInterval = 1'000'000'000;
// Of one CPU: more than this `top` shall not take from the machine that it looks at.
constexpr double kMostOwnShare = 0.03;
// Threads at one time: each step looks at the place of each.
constexpr uint32_t kMaxThreads = 2048;
constexpr int kLinesWidth = 100;  // of what is no terminal
constexpr ScreenSize kLeast{40, 12};

struct TopFlags {
  std::vector<std::string> words;
  std::optional<LockName> lock;
};

uint64_t own_cpu_ns() {
  return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

class Top {
 public:
  Top(Recorder& recorder, TopModel& model, Interrupt& interrupt, int process, std::string command,
      const LiveViews& views)
      : recorder_(recorder),
        model_(model),
        interrupt_(interrupt),
        process_(process),
        command_(std::move(command)),
        views_(views) {}

  // Takes the terminal, where standard output is one that can be drawn on.
  Status begin();
  Result<Exit> run();

 private:
  Status wait();
  Status tick();
  Status draw();
  Status draw_lines();
  void press(char key);
  void next_process();
  PictureLayout layout() const;
  bool alive() const { return !ended_ || recorder_.processes() > 0; }

  Recorder& recorder_;
  TopModel& model_;
  Interrupt& interrupt_;
  int process_;
  std::string command_;
  const LiveViews& views_;
  Budget budget_{kMostOwnShare};
  std::optional<Screen> screen_;
  PictureLayout layout_;
  Picture picture_;
  bool ended_ = false, quit_ = false;
  std::optional<Arrived> signal_;
  uint64_t began_ns_ = 0, next_ns_ = 0, own_ns_ = 0, own_read_ns_ = 0;
};

Status Top::begin() {
  layout_.utf8 = locale_is_utf8();
  if (!output_can_be_replaced()) return {};
  auto screen = Screen::open();
  if (!screen) return fail(screen.error());
  screen_.emplace(std::move(*screen));
  return {};
}

PictureLayout Top::layout() const {
  PictureLayout layout = layout_;
  if (screen_) {
    const ScreenSize size = screen_size();
    layout.width = size.columns;
    layout.height = size.lines;
    layout.keys = screen_->keys_fd() >= 0;
  } else {
    layout.width = terminal_columns(STDOUT_FILENO).value_or(kLinesWidth);
  }
  return layout;
}

void Top::next_process() {
  std::vector<pid_t> pids;
  for (const Picture::Process& process : picture_.processes) pids.push_back(process.pid);
  std::ranges::sort(pids);
  const auto next = std::ranges::upper_bound(pids, layout_.process);
  layout_.process = next == pids.end() ? 0 : *next;
}

void Top::press(char key) {
  switch (key) {
    case 'q':
    case 'Q':
      quit_ = true;
      break;
    case 'p':
    case ' ':
      layout_.paused = !layout_.paused;
      break;
    case 's':
      layout_.order =
          static_cast<PictureLayout::Order>((static_cast<int>(layout_.order) + 1) %
                                            (static_cast<int>(PictureLayout::Order::name) + 1));
      break;
    case 'n':
      next_process();
      break;
    default:
      break;
  }
}

Status Top::draw() {
  if (!screen_) return {};
  return screen_->draw(views_.draw(picture_, layout()));
}

Status Top::draw_lines() {
  std::string text;
  for (const std::string& line : views_.draw(picture_, layout())) text += line + "\n";
  return write_output(text + "\n");
}

Status Top::tick() {
  const uint64_t settled = recorder_.settled_ns();
  if (Status taken = recorder_.step(); !taken) return taken;
  // A thread that runs on and on settles nothing: its segment is taken as it comes.
  const uint64_t now = kernel_monotonic_ns();
  const LiveState state = recorder_.live();
  model_.settled(std::max(settled, now - std::min(now, 2 * kInterval)), state.threads);
  Picture picture = model_.picture(state, began_ns_);
  const uint64_t read_ns = monotonic_ns(), own_ns = own_cpu_ns();
  picture.own_share = static_cast<double>(own_ns - own_ns_) /
                      static_cast<double>(std::max<uint64_t>(read_ns - own_read_ns_, 1));
  own_ns_ = own_ns;
  own_read_ns_ = read_ns;
  picture.command = command_;
  const bool reads = budget_.reads(picture.own_share, model_.segments_per_s());
  if (!reads) {
    picture.not_read =
        fmt::format("reading {:.0f} switches a second would take more than {:.0f} % of a CPU",
                    model_.segments_per_s(), kMostOwnShare * 100);
  }
  model_.read_segments(reads);
  recorder_.read_records(reads);
  if (layout_.paused && alive()) return {};
  if (!alive() && picture.processes.empty()) {
    // The processes are forgotten already: the last picture is the one before.
    for (Picture::Process& process : picture_.processes) process.ended = true;
  } else {
    picture_ = std::move(picture);
  }
  return screen_ ? draw() : draw_lines();
}

Status Top::wait() {
  std::vector<pollfd> fds = {{process_, POLLIN, 0}, {interrupt_.fd(), POLLIN, 0}};
  if (screen_) {
    fds.push_back({screen_->changes_fd(), POLLIN, 0});
    fds.push_back({screen_->keys_fd(), POLLIN, 0});
  }
  for (const int fd : recorder_.fds()) fds.push_back({fd, POLLIN, 0});
  const uint64_t now = monotonic_ns();
  const int left = next_ns_ > now ? static_cast<int>((next_ns_ - now + 999'999) / 1'000'000) : 0;
  if (::poll(fds.data(), fds.size(), std::min(recorder_.timeout_ms(), left)) < 0 &&
      errno != EINTR) {
    return fail_errno("poll");
  }
  if (process_ >= 0 && fds[0].revents != 0) {
    process_ = -1;
    ended_ = true;
  }
  if (const auto arrived = interrupt_.next()) signal_ = arrived;
  if (!screen_) return {};
  bool redraw = fds[2].revents != 0;
  if (redraw) screen_->changed();
  if (fds[3].revents != 0) {
    for (const char key : screen_->keys()) press(key);
    redraw = true;
  }
  return redraw ? draw() : Status();
}

Result<Exit> Top::run() {
  began_ns_ = kernel_monotonic_ns();
  own_ns_ = own_cpu_ns();
  own_read_ns_ = monotonic_ns();
  next_ns_ = monotonic_ns() + kInterval;
  while (!quit_ && !signal_ && alive()) {
    if (Status waited = wait(); !waited) return fail(waited.error());
    if (monotonic_ns() < next_ns_) {
      if (Status taken = recorder_.step(); !taken) return fail(taken.error());
      continue;
    }
    next_ns_ = std::max(next_ns_ + kInterval, monotonic_ns());
    if (Status ticked = tick(); !ticked) return fail(ticked.error());
  }
  if (!alive()) {
    if (Status ticked = tick(); !ticked) return fail(ticked.error());
  }
  if (screen_) {
    PictureLayout last = layout();
    last.keys = false;
    if (Status left = screen_->leave(views_.draw(picture_, last)); !left) return fail(left.error());
  }
  if (signal_ && !(signal_->number == SIGINT && signal_->from == Arrived::From::kernel)) {
    return fail(Exit::interrupted, fmt::format("interrupted by {}", interrupt_.signal_name()));
  }
  return Exit::done;
}

Result<std::optional<pid_t>> pid_among(const std::vector<std::string>& words) {
  const auto is_number = [](const std::string& word) {
    return !word.empty() && std::ranges::all_of(word, [](char c) { return c >= '0' && c <= '9'; });
  };
  if (!is_number(words[0])) return std::optional<pid_t>();
  if (words.size() > 1) {
    return fail(fmt::format("give a process's number or a command, not both: {} and {}",
                            in_quotes(words[0]),
                            in_quotes(words[1] == "--" && words.size() > 2 ? words[2] : words[1])));
  }
  const auto pid = parse_pid(words[0]);
  if (!pid) return fail(pid.error());
  return std::optional(*pid);
}

// The terminal is top's: the command reads nothing, and what it writes is lost.
Status without_terminal() {
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (nothing < 0) return fail_errno("cannot open /dev/null");
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::dup2(nothing, fd) < 0) return fail_errno("dup2");
  }
  return {};
}

Result<Exit> top_of_process(pid_t pid, const TopFlags& flags, const LiveViews& views) {
  if (Status able = require_recording(); !able) return fail(able.error());
  const auto target = look_at(pid);
  if (!target) return fail(target.error());
  auto watched = Interrupt::watch();
  if (!watched) return fail(watched.error());
  auto* const interrupt = new Interrupt(std::move(*watched));  // as in `attach`
  TopModel model(views.watch);
  auto recorder = Recorder::start({.command = command_text(target->argv),
                                   .argv = target->argv,
                                   .lock = flags.lock,
                                   .max_threads = kMaxThreads,
                                   .reader = &model});
  if (!recorder) return fail(recorder.error());
  if (Status followed = recorder->follow(pid); !followed) return fail(followed.error());
  Top top(*recorder, model, *interrupt, target->process.get(), command_text(target->argv), views);
  if (Status begun = top.begin(); !begun) return fail(begun.error());
  if (Status opened = recorder->open(); !opened) return fail(opened.error());
  return top.run();
}

Result<Exit> top_of_command(const TopFlags& flags, const LiveViews& views) {
  const std::vector<std::string>& words = flags.words;
  auto options = command_options();
  if (!options) return fail(options.error());
  auto watched = Interrupt::watch();
  if (!watched) return fail(watched.error());
  auto* const interrupt = new Interrupt(std::move(*watched));  // as in `exec`
  TopModel model(views.watch);
  auto recorder = Recorder::start({.command = command_text(words),
                                   .argv = words,
                                   .lock = flags.lock,
                                   .max_threads = kMaxThreads,
                                   .reader = &model});
  if (!recorder) return fail(recorder.error());
  options->in_child = [enrol = recorder->in_child()]() -> Status {
    if (Status apart = without_terminal(); !apart) return apart;
    return enrol();
  };
  auto child = Child::start(words, *options);
  if (!child) return fail(child.error());
  Top top(*recorder, model, *interrupt, child->fd(), command_text(words), views);
  if (Status begun = top.begin(); !begun) return fail(begun.error());
  if (Status opened = recorder->open(); !opened) return fail(opened.error());
  if (Status released = child->release(); !released) return fail(released.error());
  return top.run();
}

Status check_terminal() {
  if (!output_can_be_replaced()) return {};
  const ScreenSize size = screen_size();
  if (size.columns >= kLeast.columns && size.lines >= kLeast.lines) return {};
  return fail(fmt::format(
      "the terminal has {} columns and {} lines: top needs {} and {}; pipe it for plain lines",
      size.columns, size.lines, kLeast.columns, kLeast.lines));
}

Result<Exit> top(const TopFlags& flags, const LiveViews& views) {
  if (Status large = check_terminal(); !large) return fail(large.error());
  const auto pid = pid_among(flags.words);
  if (!pid) return fail(pid.error());
  return *pid ? top_of_process(**pid, flags, views) : top_of_command(flags, views);
}

}  // namespace

void add_top(CLI::App& app, Exit& exit, const LiveViews& views) {
  auto flags = std::make_shared<TopFlags>();
  Command command(app, "top", "watch the lock of a process that runs");
  command
      .rest("COMMAND", flags->words,
            "the process's number, or a program to start and its arguments")
      .required();
  add_lock_flag(command, flags->lock);
  command.on_run([flags, views, &exit] { exit = exit_of(top(*flags, views)); });
}

}  // namespace gilscope
