#include "cli/parser.h"

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <utility>

namespace openclip {

CommandOption* CommandOption::required() {
  option_->required();
  return this;
}

CommandOption* CommandOption::type_name(const std::string& name) {
  option_->type_name(name);
  return this;
}

CommandOption* CommandOption::description(const std::string& help) {
  option_->description(help);
  return this;
}

CommandOption* CommandOption::expected(int values) {
  option_->expected(values);
  return this;
}

CommandOption* CommandOption::take_all() {
  option_->take_all();
  return this;
}

CommandOption* CommandOption::capture_default_str() {
  option_->capture_default_str();
  return this;
}

CommandOption* CommandOption::excludes(CommandOption* other) {
  option_->excludes(other->option_);
  return this;
}

CommandOption* CommandOption::in_range(int low, int high) {
  option_->check(CLI::Range(low, high));
  return this;
}

CommandOption* CommandOption::in_range(double low, double high) {
  option_->check(CLI::Range(low, high));
  return this;
}

CommandOption* CommandOption::not_negative() {
  option_->check(CLI::NonNegativeNumber);
  return this;
}

CommandOption* CommandOption::one_of(const std::vector<std::string>& values) {
  option_->check(CLI::IsMember(values));
  return this;
}

size_t CommandOption::count() const { return option_->count(); }

Command* Command::add_subcommand(const std::string& name, const std::string& help) {
  subcommands_.push_back(std::make_unique<Command>(*app_->add_subcommand(name, help)));
  return subcommands_.back().get();
}

template <class T>
CommandOption* Command::add_option(const std::string& name, T& value, const std::string& help) {
  return keep(*app_->add_option(name, value, help));
}

// The types of values that options have.
template CommandOption* Command::add_option(const std::string&, std::string&, const std::string&);
template CommandOption* Command::add_option(const std::string&, std::vector<std::string>&,
                                            const std::string&);
template CommandOption* Command::add_option(const std::string&, int&, const std::string&);
template CommandOption* Command::add_option(const std::string&, uint32_t&, const std::string&);
template CommandOption* Command::add_option(const std::string&, std::vector<int>&,
                                            const std::string&);
template CommandOption* Command::add_option(const std::string&, int64_t&, const std::string&);
template CommandOption* Command::add_option(const std::string&, size_t&, const std::string&);
template CommandOption* Command::add_option(const std::string&, double&, const std::string&);
template CommandOption* Command::add_option(const std::string&, std::optional<int>&,
                                            const std::string&);
template CommandOption* Command::add_option(const std::string&, std::optional<double>&,
                                            const std::string&);
template CommandOption* Command::add_option(const std::string&, std::optional<std::string>&,
                                            const std::string&);

CommandOption* Command::add_flag(const std::string& name, bool& value, const std::string& help) {
  return keep(*app_->add_flag(name, value, help));
}

CommandOption* Command::get_option(const std::string& name) {
  return keep(*app_->get_option(name));
}

void Command::footer(const std::string& text) { app_->footer(text); }

void Command::require_subcommand(int count) { app_->require_subcommand(count); }

void Command::callback(std::function<void()> chosen) { app_->callback(std::move(chosen)); }

CommandOption* Command::keep(CLI::Option& option) {
  options_.push_back(std::make_unique<CommandOption>(option));
  return options_.back().get();
}

}  // namespace openclip
