// The subcommands that measure, one file each. Every add_* registers one with the parser. When the
// subcommand has run, `exit` holds its exit code; a failure is one line on standard error.
#pragma once

#include <functional>

#include "userspace/base/result.h"

namespace CLI {
class App;
}

namespace gilscope {

struct Report;
struct LiveViews;

// Prints the report that `run`, `exec` or `attach` has made. The views are in tools/, which
// userspace/ does not know. `directory` is where the report was written, empty if it was not, and
// `kept_as` the same where it stays; `all` asks for every table.
using ReportPrinter = std::function<Status(const Report&, const std::string& directory,
                                           const std::string& kept_as, bool all)>;

void add_run(CLI::App& app, Exit& exit, ReportPrinter print);
void add_exec(CLI::App& app, Exit& exit, ReportPrinter print);
void add_attach(CLI::App& app, Exit& exit, ReportPrinter print, const LiveViews& views);
void add_top(CLI::App& app, Exit& exit, const LiveViews& views);
void add_list(CLI::App& app, Exit& exit);
void add_doctor(CLI::App& app, Exit& exit);
void add_env(CLI::App& app, Exit& exit);
void add_restore(CLI::App& app, Exit& exit);
void add_find(CLI::App& app, Exit& exit);
// Covers everything that is registered when it runs.
void add_completion(CLI::App& app, Exit& exit);

}  // namespace gilscope
