// The command line's grammar: commands with options and flags. What subcommands need of CLI11, so
// that its headers, which take ten seconds to compile, are compiled once. Rank 7.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace openclip {

/// An option or flag of a command. Every setter returns the option itself.
class CommandOption {
 public:
  explicit CommandOption(CLI::Option& option) : option_(&option) {}

  /// The command cannot run without it.
  CommandOption* required();

  /// What the help calls its value, for example FILE.
  CommandOption* type_name(const std::string& name);

  /// Replaces what the help says.
  CommandOption* description(const std::string& help);

  /// How many values follow each mention; -1: at least one, up to the next option.
  CommandOption* expected(int values);

  /// May be given several times, all of which count.
  CommandOption* take_all();

  /// The help shows the value that the variable has now.
  CommandOption* capture_default_str();

  /// Neither may be given where the other is.
  CommandOption* excludes(CommandOption* other);

  /// The value lies in [low, high].
  CommandOption* in_range(int low, int high);
  CommandOption* in_range(double low, double high);

  /// The value is a number of at least 0.
  CommandOption* not_negative();

  /// The value is one of these.
  CommandOption* one_of(const std::vector<std::string>& values);

  /// How often it was given; known once the command line was read.
  size_t count() const;

 private:
  CLI::Option* option_;
};

/// A command with its options and subcommands.
class Command {
 public:
  explicit Command(CLI::App& app) : app_(&app) {}

  Command* add_subcommand(const std::string& name, const std::string& help);

  /// An option --NAME VALUE, or a positional argument where `name` has no dashes. `value` is set by
  /// the reading of the command line and must outlive it. T is one of the types that parser.cc
  /// lists.
  template <class T>
  CommandOption* add_option(const std::string& name, T& value, const std::string& help);

  CommandOption* add_flag(const std::string& name, bool& value, const std::string& help);

  /// The option of that name, which must be there.
  CommandOption* get_option(const std::string& name);

  /// Text below the options.
  void footer(const std::string& text);

  /// Exactly `count` subcommands must follow.
  void require_subcommand(int count);

  /// Called when the command was chosen and its options are set.
  void callback(std::function<void()> chosen);

 private:
  CommandOption* keep(CLI::Option& option);

  CLI::App* app_;
  std::vector<std::unique_ptr<CommandOption>> options_;
  std::vector<std::unique_ptr<Command>> subcommands_;
};

}  // namespace openclip
