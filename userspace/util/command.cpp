#include "userspace/util/command.h"

#include <CLI/CLI.hpp>

namespace gilscope {

Option Option::required() {
  option_->required();
  return *this;
}

Option Option::one_of(const std::vector<std::string>& values) {
  option_->check(CLI::IsMember(values));
  return *this;
}

Option Option::repeated() {
  option_->allow_extra_args(false);
  return *this;
}

Option Option::excludes(const Option& other) {
  option_->excludes(other.option_);
  return *this;
}

Command::Command(CLI::App& app, const std::string& name, const std::string& description)
    : app_(app.add_subcommand(name, description)) {}

Option Command::option(const std::string& name, std::string& into, const std::string& help) {
  return Option(app_->add_option(name, into, help));
}

Option Command::option(const std::string& name, std::optional<std::string>& into,
                       const std::string& help) {
  return Option(app_->add_option(name, into, help));
}

Option Command::option(const std::string& name, std::optional<int>& into, const std::string& help) {
  return Option(app_->add_option(name, into, help));
}

Option Command::option(const std::string& name, std::optional<uint64_t>& into,
                       const std::string& help) {
  return Option(app_->add_option(name, into, help));
}

Option Command::option(const std::string& name, std::vector<std::string>& into,
                       const std::string& help) {
  return Option(app_->add_option(name, into, help));
}

Option Command::option(const std::string& name, std::vector<int>& into, const std::string& help) {
  return Option(app_->add_option(name, into, help));
}

Option Command::option(const std::string& name, std::function<Status(const std::string&)> take,
                       const std::string& help) {
  return Option(app_->add_option_function<std::string>(
      name,
      [name, take = std::move(take)](const std::string& text) {
        const Status taken = take(text);
        if (!taken) throw CLI::ValidationError(name, taken.error().message);
      },
      help));
}

Option Command::flag(const std::string& name, bool& into, const std::string& help) {
  return Option(app_->add_flag(name, into, help));
}

void Command::on_run(std::function<void()> body) {
  app_->callback(std::move(body));
}

}  // namespace gilscope
