// `gilscope find`: which interpreter a process runs, and where its GIL is.
#include <climits>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "userspace/base/command.h"
#include "userspace/base/output.h"
#include "userspace/base/quote.h"
#include "userspace/cli/cli.h"
#include "userspace/subject/holder.h"
#include "userspace/subject/subject.h"

namespace gilscope {
namespace {

// "_PyRuntime+360 in /usr/bin/python3.11"; a GIL on the heap lies in no file.
std::string where(const GilPlace& place) {
  if (place.symbol.empty() && place.offset == 0) return "on the heap";
  if (place.gil.kind == GILSCOPE_GIL_SEMAPHORE || place.gil.kind == GILSCOPE_GIL_QUEUE) {
    return fmt::format("on the heap, where {}{} of {} leads", place.symbol,
                       place.offset == 0 ? "" : fmt::format("+{}", place.offset),
                       printable(place.object));
  }
  const std::string offset = place.offset == 0 ? "" : fmt::format("+{}", place.offset);
  if (!place.symbol.empty()) {
    return fmt::format("{}{} in {}", place.symbol, offset, printable(place.object));
  }
  return printable(place.object) + offset;
}

uint64_t address_of(const GilPlace& place) {
  return place.gil.words != 0 ? place.gil.words : place.gil.condition;
}

std::string who_holds(const Result<Holder>& holder) {
  if (!holder) return "not known";
  const std::string thread =
      holder->tid == 0 ? "a thread that is not known"
                       : fmt::format("thread {} ({})", holder->tid, in_quotes(holder->name));
  if (!holder->held) return holder->tid == 0 ? "not known" : "last by " + thread;
  if (*holder->held) return thread;
  return holder->tid == 0 ? "nobody" : "nobody; last by " + thread;
}

std::string as_text(const Subject& subject) {
  std::string out;
  const auto line = [&](std::string_view name, std::string_view value) {
    out += fmt::format("{:13} {}\n", name, value);
  };
  line("process", fmt::format("{}", subject.pid));
  line("interpreter", fmt::format("{} {}", subject.interpreter, printable(subject.version)));
  line("executable", printable(subject.executable));
  if (!subject.build_id.empty()) line("build id", subject.build_id);
  if (!subject.has_gil) line("GIL", "none: its threads run Python at the same time");
  for (size_t i = 0; i < subject.gils.size(); ++i) {
    const GilPlace& place = subject.gils[i];
    line(i == 0 ? "GIL" : "another GIL", fmt::format("{:#x}, {}", address_of(place), where(place)));
    line("  found by", place.found_by);
    line("  confirmed by", place.confirmed_by);
    if (place.interval_us) line("  interval", fmt::format("{} us", *place.interval_us));
    line("  held by", who_holds(holder_of(subject, place)));
  }
  return out;
}

nlohmann::ordered_json json_of(const Subject& subject, const GilPlace& place) {
  const auto text_or_null = [](const std::string& text) {
    return text.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(text);
  };
  nlohmann::ordered_json json = {{"object", text_or_null(place.object)},
                                 {"symbol", text_or_null(place.symbol)},
                                 {"offset", place.offset},
                                 {"address", fmt::format("{:#x}", address_of(place))},
                                 {"found_by", place.found_by},
                                 {"confirmed_by", place.confirmed_by},
                                 {"interval_us", nullptr},
                                 {"held", nullptr},
                                 {"holder", nullptr}};
  if (place.interval_us) json["interval_us"] = *place.interval_us;
  const auto holder = holder_of(subject, place);
  if (holder && holder->held) json["held"] = *holder->held;
  if (holder && holder->tid != 0) json["holder"] = {{"tid", holder->tid}, {"name", holder->name}};
  return json;
}

std::string as_json(const Subject& subject) {
  nlohmann::ordered_json gils = nlohmann::ordered_json::array();
  for (const GilPlace& place : subject.gils) gils.push_back(json_of(subject, place));
  const nlohmann::ordered_json document = {
      {"pid", subject.pid},
      {"kind", subject.kind},
      {"interpreter", subject.interpreter},
      {"version", subject.version},
      {"executable", subject.executable},
      {"build_id", subject.build_id.empty() ? nlohmann::ordered_json()
                                            : nlohmann::ordered_json(subject.build_id)},
      {"has_gil", subject.has_gil},
      {"gils", gils}};
  // Names of threads and files may hold bytes that are not UTF-8; without `replace`, dump() would
  // throw.
  return document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

void add_find(CLI::App& app, Exit& exit) {
  Command command(app, "find", "say which interpreter a process runs, and where its GIL is");
  auto pid = std::make_shared<std::optional<int>>();
  auto json = std::make_shared<bool>(false);
  command.option("PID", *pid, 1, INT_MAX, "the process").required();
  command.flag("--json", *json, "print it as JSON");
  command.on_run([pid, json, &exit] {
    const auto subject = find_subject(pid->value());
    exit = subject ? exit_of(write_output(*json ? as_json(*subject) : as_text(*subject)))
                   : write_error(subject.error());
  });
}

}  // namespace gilscope
