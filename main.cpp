// The only file that knows both halves: the subcommands that measure (userspace/cli) and those that
// only read reports (tools).
#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>

#include "tools/cli/tools.h"
#include "userspace/base/command.h"
#include "userspace/base/exceptions.h"
#include "userspace/base/output.h"
#include "userspace/base/process.h"
#include "userspace/base/quote.h"
#include "userspace/cli/cli.h"

namespace gilscope {
namespace {

Exit run_command(int argc, char** argv) {
  CLI::App app{
      "Measures what a global interpreter lock costs, and what the kernel's scheduler does about "
      "it.",
      "gilscope"};
  app.set_version_flag("--version", "gilscope " GILSCOPE_VERSION);
  app.require_subcommand(1);
  app.failure_message([](const CLI::App*, const CLI::Error& error) {
    return fmt::format("gilscope: {}; see `gilscope --help`\n", error.what());
  });

  // The subcommand that runs sets it.
  Exit exit = Exit::done;
  add_run(app, exit, print_report);
  add_exec(app, exit, print_report);
  add_attach(app, exit, print_report, live_views());
  add_top(app, exit, live_views());
  add_list(app, exit);
  add_doctor(app, exit);
  add_env(app, exit);
  add_restore(app, exit);
  add_find(app, exit);
  add_show(app, exit);
  add_html(app, exit);
  add_validate(app, exit);
  add_export(app, exit);
  add_compare(app, exit);
  add_merge(app, exit);
  add_completion(app, exit);

  // For an unknown word, the parser would only report that a subcommand is missing.
  auto known = [&](const CLI::App* command) { return command->get_name() == argv[1]; };
  if (argc > 1 && argv[1][0] != '-' && std::ranges::none_of(app.get_subcommands({}), known)) {
    return write_error(Error{
        Exit::error, fmt::format("unknown command {}; see `gilscope --help`", in_quotes(argv[1]))});
  }
  auto arguments = checked_arguments(app, {argv + std::min(argc, 1), argv + argc});
  if (!arguments) return write_error(arguments.error());
  std::ranges::reverse(*arguments);  // the parser takes them from the back
  try {
    app.parse(std::move(*arguments));
  } catch (const CLI::Success& success) {  // --help, --version
    std::ostringstream text;
    app.exit(success, text, text);
    return exit_of(write_output(text.str()));
  } catch (const CLI::ParseError& error) {
    std::ostringstream text;
    app.exit(error, text, text);
    write_message(text.str());
    return Exit::error;
  }
  return exit;
}

}  // namespace
}  // namespace gilscope

int main(int argc, char** argv) {
  using namespace gilscope;
  take_standard_descriptors();
  set_signal_dispositions();
  try {
    return static_cast<int>(run_command(argc, argv));
  } catch (...) {
    return static_cast<int>(write_error(error_of_exception()));
  }
}
