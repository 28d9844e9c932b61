// Prints the lists that documents show, made from the descriptors of policies and workloads.
// scripts/generate-lists puts each between the marks of its name.
//
//   print_lists           the names of the lists
//   print_lists NAME      one of them
#include <fmt/ranges.h>

#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "userspace/base/output.h"
#include "userspace/descriptor/policy.h"
#include "userspace/descriptor/workload.h"

namespace gilscope {
namespace {

using Cells = std::vector<std::string>;

std::string line(const Cells& cells) {
  return fmt::format("| {} |\n", fmt::join(cells, " | "));
}

// A table of Markdown.
std::string table(const Cells& headings, const std::vector<Cells>& rows) {
  std::string out = line(headings);
  for (size_t i = 0; i < headings.size(); ++i) out += "|---";
  out += "|\n";
  for (const Cells& row : rows) out += line(row);
  return out;
}

std::string code(const std::string& text) {
  return "`" + text + "`";
}

// "check-interval:N"
std::string with_letter(const PolicyDescriptor& policy) {
  return policy.value ? policy.name + ":" + policy.value->shown.substr(0, 1) : policy.name;
}

// For docs/architecture.md.
std::string policy_table() {
  std::vector<Cells> rows;
  for (const PolicyDescriptor& p : policies()) {
    rows.push_back({code(with_letter(p)), p.whose, p.primitive, p.next, p.given_up});
  }
  return table({"policy", "whose", "primitive", "who gets it next", "when it is given up"}, rows);
}

// For docs/metrics.md.
std::string failure_table() {
  const auto meaning = [](const std::string& text) { return text.empty() ? "never" : text; };
  std::vector<Cells> rows;
  for (const PolicyDescriptor& p : policies()) {
    rows.push_back({code(p.name), meaning(p.failures.contended), meaning(p.failures.woken_lost),
                    meaning(p.failures.timed_out), meaning(p.failures.drop_requests)});
  }
  return table({"policy", "`contended`", "`woken_lost`", "`timed_out`", "`drop_requests`"}, rows);
}

// For docs/metrics.md.
std::string operation_table() {
  using Ends = WorkloadDescriptor::Ends;
  const std::map<Ends, const char*> ends = {
      {Ends::by_work, "work"},
      {Ends::by_time, "time"},
      {Ends::by_time_if_given, "work, or time if `seconds` is given"}};
  std::vector<Cells> rows;
  for (const WorkloadDescriptor& w : workloads()) {
    rows.push_back({code(w.name), w.whose.empty() ? "ours" : w.whose, w.operation.one,
                    w.latency.empty() ? "-" : w.latency, ends.at(w.ends)});
  }
  return table({"workload", "whose", "one operation", "its latency", "bounded by"}, rows);
}

// For docs/gilscope.1, in the middle of a sentence.
std::string policy_words() {
  std::vector<std::string> words;
  for (const PolicyDescriptor& policy : policies()) {
    words.push_back(policy.example());
    for (const PolicyOption& option : policy.options) {
      words.push_back(policy.example() + "," + option.word);
    }
  }
  std::string out;
  for (size_t i = 0; i < words.size(); ++i) {
    out += ".Ql " + words[i];
    out += i + 2 < words.size() ? " ,\n" : i + 2 == words.size() ? "\nor\n" : " ;\n";
  }
  return out;
}

// For the built-in experiments on every policy: the elements of a TOML list.
std::string policy_forms() {
  std::string out;
  for (const PolicyDescriptor& policy : policies()) {
    std::vector<std::string> forms;
    for (const std::string& form : policy.forms()) forms.push_back('"' + form + '"');
    out += fmt::format("  {},\n", fmt::join(forms, ", "));
  }
  return out;
}

Exit print(int argc, char** argv) {
  const std::map<std::string, std::function<std::string()>> lists = {
      {"policies", policy_table},      {"failures", failure_table},
      {"operations", operation_table}, {"policy-words", policy_words},
      {"policy-forms", policy_forms},
  };
  if (argc > 2 || (argc == 2 && !lists.contains(argv[1]))) {
    return write_error(
        Error{Exit::error, "print_lists: give it one name; without any it prints them"});
  }
  if (argc == 2) return exit_of(write_output(lists.at(argv[1])()));
  std::string names;
  for (const auto& [name, list] : lists) names += name + "\n";
  return exit_of(write_output(names));
}

}  // namespace
}  // namespace gilscope

int main(int argc, char** argv) {
  return static_cast<int>(gilscope::print(argc, argv));
}
