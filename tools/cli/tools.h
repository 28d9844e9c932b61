// The subcommands that only read reports: no root, no BPF, no threads. See userspace/cli/cli.h for
// what add_* promises.
#pragma once

#include "userspace/base/result.h"

namespace CLI {
class App;
}

namespace gilscope {

struct Report;

// Prints what `show` prints, with --all where `all` is set, of the report that `run` has just made
// and written to `directory`, if that is not empty. Fails with Exit::no_data where no run has
// finished.
Status print_report(const Report& report, const std::string& directory, bool all);

void add_html(CLI::App& app, Exit& exit);
void add_show(CLI::App& app, Exit& exit);
void add_validate(CLI::App& app, Exit& exit);
void add_export(CLI::App& app, Exit& exit);
void add_compare(CLI::App& app, Exit& exit);
void add_merge(CLI::App& app, Exit& exit);

}  // namespace gilscope
