// The one place that knows both halves: the subcommands that measure (userspace/cli) and those that
// only read reports (tools).
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "tools/tools.h"
#include "userspace/cli/cli.h"
#include "userspace/util/output.h"
#include "userspace/util/quote.h"

int main(int argc, char** argv) {
  using namespace gilscope;
  CLI::App app{
      "What a global interpreter lock costs, and what the kernel's scheduler did about it."};
  app.set_version_flag("--version", "gilscope " GILSCOPE_VERSION);
  app.require_subcommand(1);
  app.failure_message([](const CLI::App*, const CLI::Error& error) {
    return fmt::format("gilscope: {}; `gilscope --help` says what there is\n", error.what());
  });

  // Each subcommand leaves its exit code here when it has run.
  Exit exit = Exit::done;
  add_run(app, exit, print_report);
  add_list(app, exit);
  add_doctor(app, exit);
  add_env(app, exit);
  add_restore(app, exit);
  add_show(app, exit);
  add_html(app, exit);
  add_validate(app, exit);
  add_export(app, exit);
  add_compare(app, exit);
  add_merge(app, exit);

  // The parser would only say that a subcommand is missing.
  auto known = [&](const CLI::App* command) { return command->get_name() == argv[1]; };
  if (argc > 1 && argv[1][0] != '-' && std::ranges::none_of(app.get_subcommands({}), known)) {
    return static_cast<int>(write_error(Error{
        Exit::error,
        fmt::format("there is no {}; `gilscope --help` says what there is", in_quotes(argv[1]))}));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help, --version
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    app.exit(error);
    return static_cast<int>(Exit::error);
  }
  return static_cast<int>(exit);
}
