#include "userspace/experiment/program/messages.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "userspace/base/quote.h"

namespace gilscope {
namespace {

using Json = nlohmann::json;

constexpr size_t kMostThreads = 8192, kMostSamples = 4096, kMostResults = 64;
constexpr size_t kLongestName = 64, kLongestWhy = 400;
// The parser builds nested values; the protocol's deepest has four levels.
constexpr int kDeepest = 8;

tl::unexpected<Error> rubbish(std::string_view line, const std::string& why) {
  constexpr size_t kShown = 60;
  std::string shown = in_quotes(line.substr(0, kShown));
  if (line.size() > kShown) shown += fmt::format(" ... ({} bytes)", line.size());
  return fail(fmt::format("the script wrote {} to its results pipe, which is {}", shown, why));
}

std::optional<uint64_t> count_in(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_unsigned()) return {};
  return found->get<uint64_t>();
}

std::optional<std::string> text_in(const Json& object, const char* key, size_t longest) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return {};
  // Cut as bytes: what is printed of it is made printable first.
  return printable(std::string_view(found->get_ref<const std::string&>()).substr(0, longest));
}

const Json* list_in(const Json& object, const char* key, size_t most) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_array() || found->size() > most) return nullptr;
  return &*found;
}

std::optional<script::Ready> ready_of(const Json& said) {
  if (!said.is_object()) return {};
  const Json* threads = list_in(said, "threads", kMostThreads);
  if (threads == nullptr || threads->empty()) return {};
  script::Ready ready;
  const auto clock = text_in(said, "clock", kLongestName);
  if (!clock || (*clock != "monotonic" && *clock != "realtime")) return {};
  ready.monotonic = *clock == "monotonic";
  for (const Json& each : *threads) {
    if (!each.is_object()) return {};
    auto name = text_in(each, "name", kLongestName);
    const auto tid = each.find("tid");
    if (!name || name->empty() || tid == each.end()) return {};
    std::optional<uint32_t> number;
    if (!tid->is_null()) {
      const auto given = count_in(each, "tid");
      if (!given || *given == 0 || *given > INT32_MAX) return {};
      number = static_cast<uint32_t>(*given);
    }
    ready.threads.push_back({std::move(*name), number});
  }
  return ready;
}

std::optional<script::Samples> samples_of(const Json& line) {
  const Json* values = list_in(line, "samples_ns", kMostSamples);
  const auto thread = count_in(line, "thread");
  if (values == nullptr || !thread || *thread == 0 || *thread > kMostThreads) return {};
  script::Samples samples;
  samples.thread = *thread - 1;
  for (const Json& value : *values) {
    if (!value.is_number_unsigned()) return {};
    samples.ns.push_back(value.get<uint64_t>());
  }
  return samples;
}

std::optional<script::Done> done_of(const Json& said) {
  if (!said.is_object()) return {};
  const auto wall_ns = count_in(said, "wall_ns");
  const Json* threads = list_in(said, "threads", kMostThreads);
  if (!wall_ns || threads == nullptr) return {};
  script::Done done;
  done.wall_ns = *wall_ns;
  for (const Json& each : *threads) {
    if (!each.is_object()) return {};
    auto name = text_in(each, "name", kLongestName);
    const auto operations = count_in(each, "operations");
    const auto active_ns = count_in(each, "active_ns");
    if (!name || !operations || (!active_ns && each.contains("active_ns"))) return {};
    done.threads.push_back({std::move(*name), *operations, active_ns});
  }
  const auto results = said.find("results");
  if (results == said.end()) return done;
  if (!results->is_object() || results->size() > kMostResults) return {};
  for (const auto& [key, value] : results->items()) {
    const bool good =
        !key.empty() && key.size() <= kLongestName && std::ranges::all_of(key, [](char c) {
          return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
        });
    if (!good || !value.is_number() || !std::isfinite(value.get<double>())) return {};
    done.results[key] = value.get<double>();
  }
  return done;
}

bool is_true(const Json& line, const char* key) {
  const auto found = line.find(key);
  return found != line.end() && found->is_boolean() && found->get<bool>();
}

}  // namespace

Result<ScriptMessage> parse_message(std::string_view line) {
  const auto shallow = [](int depth, Json::parse_event_t, Json&) { return depth <= kDeepest; };
  // Without exceptions; a value that lies too deep is left out, and missed below.
  const Json said = Json::parse(line, shallow, false);
  if (said.is_discarded() || !said.is_object()) return rubbish(line, "no JSON object");
  if (const auto why = text_in(said, "failed", kLongestWhy)) return script::Failed{*why};
  if (is_true(said, "contending")) return script::Contending{};
  if (is_true(said, "resting")) return script::Resting{};
  if (const auto found = said.find("ready"); found != said.end()) {
    if (auto ready = ready_of(*found)) return std::move(*ready);
    return rubbish(line, "no \"ready\" of the protocol");
  }
  if (said.contains("samples_ns")) {
    if (auto samples = samples_of(said)) return std::move(*samples);
    return rubbish(line, "no \"samples_ns\" of the protocol");
  }
  if (const auto found = said.find("done"); found != said.end()) {
    if (auto done = done_of(*found)) return std::move(*done);
    return rubbish(line, "no \"done\" of the protocol");
  }
  return rubbish(line, "nothing of the protocol");
}

Result<std::vector<ScriptMessage>> MessageReader::take(std::string_view bytes) {
  std::vector<ScriptMessage> messages;
  while (!bytes.empty()) {
    const size_t end = std::min(bytes.find('\n'), bytes.size());
    if (line_.size() + end > kLongestLine) {
      return fail(fmt::format("the script wrote a line of more than {} bytes to its results pipe",
                              kLongestLine));
    }
    line_ += bytes.substr(0, end);
    if (end == bytes.size()) break;
    auto message = parse_message(line_);
    if (!message) return fail(message.error());
    messages.push_back(std::move(*message));
    line_.clear();
    bytes.remove_prefix(end + 1);
  }
  return messages;
}

}  // namespace gilscope
