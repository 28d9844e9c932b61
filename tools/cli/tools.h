// The subcommands that only read reports: no root, no BPF, no threads. See userspace/cli/cli.h for
// what add_* promises.
#pragma once

#include "userspace/base/result.h"
#include "userspace/live/picture.h"

namespace CLI {
class App;
}

namespace gilscope {

struct Report;

// Prints what `show` prints, with --all where `all` is set, of the report that has just been made
// and written to `directory`, if that is not empty. `kept_as` is the directory as the user knows
// it, empty where it does not stay. Fails with Exit::no_data where no run has finished.
Status print_report(const Report& report, const std::string& directory, const std::string& kept_as,
                    bool all);

// `top` and metrics take these from here.
LiveViews live_views();

void add_html(CLI::App& app, Exit& exit);
void add_show(CLI::App& app, Exit& exit);
void add_validate(CLI::App& app, Exit& exit);
void add_export(CLI::App& app, Exit& exit);
void add_compare(CLI::App& app, Exit& exit);
void add_merge(CLI::App& app, Exit& exit);

}  // namespace gilscope
