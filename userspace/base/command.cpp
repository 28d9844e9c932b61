#include "userspace/base/command.h"

#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string_view>

#include "userspace/base/quote.h"
#include "userspace/base/term.h"

namespace gilscope {
namespace {

std::string is_blank_text(std::string_view value) {
  return fmt::format("the value {} is blank: is a shell variable unset?", in_quotes(value));
}

tl::unexpected<Error> refuse_blank(std::string_view name, std::string_view value) {
  return fail(fmt::format("{}: {}", printable(name), is_blank_text(value)));
}

// "--out" or "-o" in place of a value means that the value is missing.
bool looks_like_an_option(std::string_view word) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return word.starts_with("--") || (word.size() > 1 && word[0] == '-' && is_letter(word[1]));
}

// Why no option may take this value; empty if it is acceptable.
std::string why_not(const std::string& value, bool positional) {
  if (is_blank(value)) return is_blank_text(value);
  if (!positional && looks_like_an_option(value)) {
    return fmt::format("it needs a value, but {} follows (write ./{} for a file of that name)",
                       in_quotes(value), printable(value));
  }
  return "";
}

const CLI::Option* find_option(const CLI::App& app, std::string_view name) {
  const auto options = app.get_options();
  const auto found = std::ranges::find_if(options, [&](const CLI::Option* option) {
    return !option->get_positional() && option->check_name(std::string(name));
  });
  return found == options.end() ? nullptr : *found;
}

bool takes_value(const CLI::Option& option) {
  return option.get_items_expected_max() > 0;
}

// Before each word of a rest, which the parser then takes for neither an option nor a subcommand.
constexpr char kMark = '=';
constexpr const char* kRestKind = "COMMAND";

bool takes_rest(const CLI::App& app) {
  const auto options = app.get_options();
  return std::ranges::any_of(options, [](const CLI::Option* option) {
    return option->get_positional() && option->get_type_name() == kRestKind;
  });
}

std::string name_of_positional(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) return option->get_name(true);
  }
  return "an argument";
}

OptionInfo facts_of(const CLI::Option& option) {
  OptionInfo facts;
  facts.positional = option.get_positional();
  const auto& long_names = option.get_lnames();
  facts.name = facts.positional      ? option.get_name(true)
               : !long_names.empty() ? "--" + long_names.front()
                                     : "-" + option.get_snames().front();
  facts.help = option.get_description();
  if (facts.positional) {
    facts.kind = option.get_type_name().empty() ? facts.name : option.get_type_name();
  } else if (takes_value(option)) {
    facts.kind = option.get_type_name();
  }
  facts.repeated = option.get_items_expected_max() > 1;
  return facts;
}

}  // namespace

Option Option::value_kind(const std::string& kind) {
  option_->type_name(kind);
  return *this;
}

Option Option::required() {
  option_->required();
  return *this;
}

Option Option::one_of(const std::vector<std::string>& values) {
  option_->check(CLI::Validator(
      [values](std::string& value) {
        const Status known = check_word(value, values);
        return known ? std::string() : known.error().message;
      },
      ""));
  return value_kind(fmt::format("{}", fmt::join(values, "|")));
}

Option Option::excludes(const Option& other) {
  option_->excludes(other.option_);
  return *this;
}

Command::Command(CLI::App& app, const std::string& name, const std::string& description)
    : app_(app.add_subcommand(name, description)) {}

Option Command::add(const std::string& name, Values values,
                    std::function<Status(const std::string&)> take, const std::string& help) {
  const bool positional = !name.starts_with('-');
  CLI::Option* option = app_->add_option(
      name,
      [name, take = std::move(take)](const CLI::results_t& results) {
        for (const std::string& result : results) {
          if (const Status taken = take(result); !taken) {
            throw CLI::ValidationError(name, taken.error().message);
          }
        }
        return true;
      },
      help);
  option->check(
      CLI::Validator([positional](std::string& value) { return why_not(value, positional); }, ""));
  // An option takes one value per occurrence; a positional takes all that remain.
  if (values == Values::many) {
    option->expected(1, CLI::detail::expected_max_vector_size)->allow_extra_args(positional);
  }
  return Option(option).value_kind(positional ? "" : "TEXT");
}

Option Command::option(const std::string& name, std::string& into, const std::string& help) {
  return add(
      name, Values::one,
      [&into](const std::string& value) -> Status {
        into = value;
        return {};
      },
      help);
}

Option Command::option(const std::string& name, std::optional<std::string>& into,
                       const std::string& help) {
  return add(
      name, Values::one,
      [&into](const std::string& value) -> Status {
        into = value;
        return {};
      },
      help);
}

Option Command::option(const std::string& name, std::vector<std::string>& into,
                       const std::string& help) {
  return add(
      name, Values::many,
      [&into](const std::string& value) -> Status {
        into.push_back(value);
        return {};
      },
      help);
}

Option Command::option(const std::string& name, std::optional<int>& into, int low, int high,
                       const std::string& help) {
  return add(
             name, Values::one,
             [&into, low, high](const std::string& value) -> Status {
               const auto number =
                   parse_count(value, static_cast<uint64_t>(low), static_cast<uint64_t>(high));
               if (!number) return fail(number.error());
               into = static_cast<int>(*number);
               return {};
             },
             help)
      .value_kind("N");
}

Option Command::option(const std::string& name, std::optional<uint64_t>& into,
                       const std::string& help) {
  return add(
             name, Values::one,
             [&into](const std::string& value) -> Status {
               const auto number = parse_count(value, 0, UINT64_MAX);
               if (!number) return fail(number.error());
               into = *number;
               return {};
             },
             help)
      .value_kind("N");
}

Option Command::option(const std::string& name, std::vector<int>& into, int low, int high,
                       const std::string& help) {
  return add(
             name, Values::many,
             [&into, low, high](const std::string& value) -> Status {
               const auto number =
                   parse_count(value, static_cast<uint64_t>(low), static_cast<uint64_t>(high));
               if (!number) return fail(number.error());
               into.push_back(static_cast<int>(*number));
               return {};
             },
             help)
      .value_kind("N");
}

Option Command::option(const std::string& name, std::function<Status(const std::string&)> take,
                       const std::string& help) {
  return add(name, Values::one, std::move(take), help);
}

Option Command::flag(const std::string& name, bool& into, const std::string& help) {
  return Option(app_->add_flag(name, into, help));
}

Option Command::rest(const std::string& name, std::vector<std::string>& into,
                     const std::string& help) {
  CLI::Option* option = app_->add_option(
      name,
      [&into](const CLI::results_t& words) {
        for (const std::string& word : words) into.push_back(word.substr(1));
        return true;
      },
      help);
  option->expected(1, CLI::detail::expected_max_vector_size)->allow_extra_args();
  return Option(option).value_kind(kRestKind);
}

void Command::on_run(std::function<void()> body) {
  app_->callback(std::move(body));
}

Result<std::vector<std::string>> checked_arguments(const CLI::App& app,
                                                   const std::vector<std::string>& words) {
  std::vector<std::string> arguments;
  const CLI::App* command = &app;
  bool only_positionals = false;  // after "--"
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (takes_rest(*command) && (!word.starts_with('-') || word == "-" || word == "--")) {
      for (size_t rest = word == "--" ? i + 1 : i; rest < words.size(); ++rest) {
        arguments.push_back(kMark + words[rest]);
      }
      return arguments;
    }
    const bool is_long = word.starts_with("--") && word.size() > 2;
    const size_t equals = is_long                             ? word.find('=')
                          : word.size() > 2 && word[2] == '=' ? 2
                                                              : word.npos;
    if (only_positionals || !word.starts_with('-') || word == "-") {
      if (is_blank(word)) return refuse_blank(name_of_positional(*command), word);
      // The parser reads "[a,b]" as a list and gives words after "--" to the wrong command, though
      // both are file names.
      const bool bracketed = word.starts_with('[') && word.ends_with(']');
      const bool dashed = only_positionals && word.size() > 1 && word.starts_with('-');
      arguments.push_back(bracketed || dashed ? "./" + word : word);
      if (command == &app && !only_positionals) {
        for (const CLI::App* candidate : app.get_subcommands({})) {
          if (candidate->get_name() == word) command = candidate;
        }
      }
      continue;
    }
    if (word == "--") {
      only_positionals = true;
      continue;
    }
    const std::string name = word.substr(0, equals);
    const CLI::Option* option = find_option(*command, name);
    if (equals != word.npos) {
      const std::string value = word.substr(equals + 1);
      if (is_blank(value)) return refuse_blank(name, value);
      if (is_long || option == nullptr) {
        arguments.push_back(word);
      } else {
        arguments.insert(arguments.end(), {name, value});
      }
      continue;
    }
    arguments.push_back(word);
    // add() checks the value.
    if (option != nullptr && takes_value(*option) && i + 1 < words.size()) {
      arguments.push_back(words[++i]);
    }
  }
  return arguments;
}

std::vector<OptionInfo> options_of(const CLI::App& app) {
  std::vector<OptionInfo> options;
  for (const CLI::Option* option : app.get_options()) options.push_back(facts_of(*option));
  return options;
}

std::vector<CommandInfo> commands_of(const CLI::App& app) {
  std::vector<CommandInfo> commands;
  for (const CLI::App* command : app.get_subcommands({})) {
    commands.push_back({command->get_name(), command->get_description(), options_of(*command)});
  }
  return commands;
}

}  // namespace gilscope
