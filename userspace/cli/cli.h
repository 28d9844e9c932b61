// The subcommands that measure, one file each. Every add_* registers one with the parser; when it
// has run, `exit` holds its exit code, and what failed stands on standard error in one line.
#pragma once

#include <functional>

#include "userspace/report/model.h"
#include "userspace/util/result.h"

namespace CLI {
class App;
}

namespace gilscope {

// How `run` shows the report that it made; the views are tools/, which userspace/ does not know.
// The directory is where it was written, or empty.
using ReportPrinter = std::function<Status(const Report&, const std::string& directory)>;

void add_run(CLI::App& app, Exit& exit, ReportPrinter print);
void add_list(CLI::App& app, Exit& exit);
void add_doctor(CLI::App& app, Exit& exit);
void add_env(CLI::App& app, Exit& exit);
void add_restore(CLI::App& app, Exit& exit);
// The shells' completion of all that is registered when it runs.
void add_completion(CLI::App& app, Exit& exit);

}  // namespace gilscope
