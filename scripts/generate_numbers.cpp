// Writes what is made from bpf/numbers.def and kept in the tree: the tables of docs/metrics.md, and
// the numbers in docs/report.schema.json. Reads both below the current directory and writes them
// below the directory that is its argument. scripts/generate-numbers builds and runs it.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/report/numbers.h"

namespace {

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "generate_numbers: %s\n", why.c_str());
  std::exit(2);
}

std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) give_up("cannot read " + path);
  return text.str();
}

void write(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  if (!out.flush()) give_up("cannot write " + path);
}

// The text from `from` up to `to`, which must both be there, becomes `by`.
void replace_between(std::string& text, const std::string& from, const std::string& to,
                     const std::string& by) {
  const size_t begin = text.find(from);
  const size_t end = begin == text.npos ? text.npos : text.find(to, begin + from.size());
  if (end == text.npos) give_up("finds no \"" + from + "\" with \"" + to + "\" behind it");
  text.replace(begin + from.size(), end - begin - from.size(), by);
}

// ---- docs/metrics.md ----

class MarkdownTable {
 public:
  explicit MarkdownTable(const std::vector<std::string>& head) {
    row(head);
    for (size_t i = 0; i < head.size(); ++i) text_ += "|---";
    text_ += "|\n";
  }
  void row(const std::vector<std::string>& cells) {
    for (const std::string& cell : cells) text_ += "| " + cell + " ";
    text_ += "|\n";
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string code(const std::string& key) {
  return "`" + key + "`";
}

// "`one`, `another`"
std::string codes(std::string_view keys) {
  std::string text;
  while (!keys.empty()) {
    const size_t end = std::min(keys.find(", "), keys.size());
    text += (text.empty() ? "" : ", ") + code(std::string(keys.substr(0, end)));
    keys.remove_prefix(std::min(end + 2, keys.size()));
  }
  return text;
}

std::string since_text(int since) {
  return since ? " (since 1." + std::to_string(since) + ")" : "";
}

// The minor version that brought real programs.
constexpr int kSubjects = 4;

std::map<std::string, std::string> tables() {
  MarkdownTable gil({"key", "definition"}), run = gil, cpu = gil, usage = gil, trace = gil,
                                            segments = gil;
#define GIL(key, known, definition) gil.row({code(#key), definition});
#define GIL_OF_SUBJECT(key, definition) gil.row({code(#key), definition + since_text(kSubjects)});
#define GIL_OF_PROCESS(key, definition) gil.row({code(#key), definition + since_text(kSubjects)});
#define RUN(key, known, since, definition) run.row({code(#key), definition + since_text(since)});
#define RUSAGE(key, definition) run.row({code("rusage." #key), definition});
#define COST(key, definition) run.row({code("tracer_cost." #key), definition});
#define LOST(key, csv, from, since, definition) \
  run.row({code("lost." #key), definition + since_text(since)});
#define CPU_NUMBER(path, field, csv, from, since, member, definition, ...) \
  cpu.row({code(#path), definition + since_text(since)});
#define USAGE(key, definition) usage.row({code("usage." #key), definition});
#define THREAD(key, from, since, member, otherwise, definition, ...) \
  trace.row({code("trace." #key), definition + since_text(since)});
#define THREAD_MIGRATIONS(key, from, since, member, otherwise, definition, ...) \
  trace.row({code("trace.migrations." #key), definition + since_text(since)});
#define SEGMENTS(keys, definition) segments.row({codes(keys), definition});
#include "bpf/numbers.def"

  MarkdownTable perf({"key", "the kernel's event", "definition"});
#define PERF(key, event, definition) perf.row({code(#key), code("PERF_COUNT_" event), definition});
#include "bpf/numbers.def"

  MarkdownTable metrics({"name", "definition", "better"});
  const auto metric = [&](const char* name, const char* definition, const char* better,
                          std::string_view standing) {
    metrics.row({code(name) + (standing == "primary" ? "" : "*"), definition, better});
  };
#define METRIC(name, of, value, unit, better, standing, shown, definition, ...) \
  metric(#name, definition, #better, #standing);
#define CPU(key, from, since, member, definition, ...)                                         \
  if (GILSCOPE_ROW(__VA_ARGS__).per_s) {                                                       \
    metric(#key "_per_s", "`" #key "` of all CPUs over the window", "neither", "exploratory"); \
  }
#include "bpf/numbers.def"

  MarkdownTable least({"metrics", "the least difference that matters, at 2 %"});
#define UNIT(unit, of_row, shown, names) least.row({names, shown});
#include "bpf/numbers.def"

  return {{"gil", gil.text()},           {"run", run.text()},         {"cpu", cpu.text()},
          {"usage", usage.text()},       {"trace", trace.text()},     {"perf", perf.text()},
          {"segments", segments.text()}, {"metrics", metrics.text()}, {"least", least.text()}};
}

std::string with_tables(std::string document) {
  for (const auto& [name, table] : tables()) {
    replace_between(document, "<!-- made from bpf/numbers.def: " + name + " -->\n",
                    "<!-- end -->\n", "\n" + table + "\n");
  }
  return document;
}

// ---- docs/report.schema.json ----

constexpr size_t kWidth = 100;

// The members of a JSON object: keys in their order, and those that a report of 1.0 has.
class ObjectSchema {
 public:
  void key(const std::string& key, const std::string& schema, bool required = true) {
    properties_ += (properties_.empty() ? "" : ",\n") + indent_ + "\"" + key + "\": " + schema;
    if (required) required_.push_back("\"" + key + "\"");
  }
  void object(const std::string& key, const ObjectSchema& inner) {
    this->key(key, "{\n" + inner.text("          ") + "        }");
  }
  void counter(const std::string& key, bool may_be_null, int since) {
    if (since) {
      this->key(key,
                "{\n" + indent_ + "  \"description\": \"Since 1." + std::to_string(since) +
                    ".\",\n" + indent_ + "  \"type\": [\"integer\", \"null\"],\n" + indent_ +
                    "  \"minimum\": 0\n" + indent_ + "}",
                false);
    } else {
      this->key(key, may_be_null ? "{\"type\": [\"integer\", \"null\"], \"minimum\": 0}"
                                 : "{\"type\": \"integer\", \"minimum\": 0}");
    }
  }

  // The object's members, each line `indent` deep.
  std::string text(const std::string& indent) const {
    return indent + type_ + ",\n" + required(indent) + indent + "\"properties\": {\n" +
           properties_ + "\n" + indent + "}\n";
  }
  const std::string& properties() const { return properties_; }
  // null, where nothing was looked at.
  void or_null() { type_ = "\"type\": [\"object\", \"null\"]"; }

  explicit ObjectSchema(std::string indent) : indent_(std::move(indent)) {}

 private:
  std::string type_ = "\"type\": \"object\"";
  std::string required(const std::string& indent) const {
    std::string line = indent + "\"required\": [";
    for (size_t i = 0; i < required_.size(); ++i) line += (i ? ", " : "") + required_[i];
    line += "],\n";
    if (line.size() <= kWidth + 1) return line;
    std::string text = indent + "\"required\": [\n";
    line = indent + " ";
    for (size_t i = 0; i < required_.size(); ++i) {
      const std::string item = " " + required_[i] + (i + 1 < required_.size() ? "," : "");
      if (line.size() + item.size() > kWidth) {
        text += line + "\n";
        line = indent + " ";
      }
      line += item;
    }
    return text + line + "\n" + indent + "],\n";
  }

  std::string indent_, properties_;
  std::vector<std::string> required_;
};

std::string reference(const std::string& name) {
  return "{\"$ref\": \"#/definitions/" + name + "\"}";
}

const std::string kMember = "        ", kInner = "            ";

ObjectSchema cpu_schema() {
  ObjectSchema cpu(kMember);
  cpu.key("cpu", "{\"type\": \"integer\", \"minimum\": 0, \"maximum\": 2147483647}");
  cpu.key("observed", "{\"type\": \"boolean\"}");
  using From = gilscope::numbers::From;
  const auto nullable = [](From from) {
    return from == From::occupant || from == From::running || from == From::gil_of_models;
  };
  std::map<std::string, ObjectSchema> objects;
  const auto inner = [&](const char* object) -> ObjectSchema& {
    return objects.try_emplace(object, kInner).first->second;
  };
#define WAKEUPS(key, from, since, ...) inner("wakeups").counter(#key, false, since);
#define MIGRATIONS(key, from, since, ...) inner("migrations").counter(#key, false, since);
#define FAILED(key, from, since, ...) inner("failed").counter(#key, false, since);
#include "bpf/numbers.def"
#define CPU(key, from, since, ...) cpu.counter(#key, nullable(From::from), since);
#define CPU_OBJECT(name) cpu.object(#name, inner(#name));
#include "bpf/numbers.def"
  cpu.key("histograms", reference("histograms"));
  return cpu;
}

ObjectSchema trace_schema() {
  ObjectSchema trace(kMember), migrations(kInner);
  trace.key("tid", "{\"type\": \"integer\", \"minimum\": 0, \"maximum\": 4294967295}");
  trace.counter("entered_ns", false, 0);
  trace.counter("left_ns", false, 0);
#define THREAD_MIGRATIONS(key, from, since, ...) migrations.counter(#key, false, since);
#include "bpf/numbers.def"
#define THREAD(key, from, since, ...) trace.counter(#key, false, since);
#define THREAD_OBJECT(name) trace.object(#name, name);
#include "bpf/numbers.def"
  trace.key("gil", reference("gil"));
  trace.key("histograms", reference("histograms"));
  return trace;
}

std::string with_numbers(std::string schema) {
  ObjectSchema gil(kMember), usage(kMember), perf(kMember), rusage(kMember), lost(kMember),
      cost(kMember), run(kMember);
#define GIL(key, known, definition) gil.counter(#key, std::string_view(#known) == "optional", 0);
#define GIL_OF_SUBJECT(key, definition) gil.counter(#key, true, kSubjects);
#define GIL_OF_PROCESS(key, definition) gil.counter(#key, true, kSubjects);
#define USAGE(key, definition) usage.counter(#key, false, 0);
#define PERF(key, event, definition) perf.counter(#key, true, 0);
#define RUSAGE(key, definition) rusage.counter(#key, false, 0);
#define LOST(key, csv, from, since, definition) lost.counter(#key, false, since);
#define COST(key, definition) cost.counter(#key, false, 0);
#define RUN(key, known, since, definition) \
  run.counter(#key, std::string_view(#known) == "optional", since);
#include "bpf/numbers.def"
  gil.key("doubt", "{\"description\": \"Since 1.4.\", \"type\": \"string\"}", false);
  gil.or_null();
  const std::vector<std::pair<std::string, ObjectSchema>> objects = {
      {"gil", gil},
      {"core", cpu_schema()},
      {"thread_usage", usage},
      {"rusage", rusage},
      {"thread_trace", trace_schema()},
      {"thread_perf", perf},
      {"lost", lost},
      {"tracer_cost", cost}};
  for (const auto& [name, object] : objects) {
    std::string text = object.text("      ");
    text.pop_back();
    replace_between(schema, "\n    \"" + name + "\": {\n", "\n    },\n", text);
  }
  replace_between(schema, kMember + "\"started_at\": {\"type\": \"string\"},\n",
                  kMember + "\"rusage\":", run.properties() + ",\n");
  return schema;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) give_up("takes the directory to write below");
  const std::string into = std::string(argv[1]) + "/";
  const std::string metrics = "docs/metrics.md", schema = "docs/report.schema.json";
  write(into + metrics, with_tables(read(metrics)));
  write(into + schema, with_numbers(read(schema)));
  return 0;
}
