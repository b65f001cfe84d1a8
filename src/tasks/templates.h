// Prompt templates of zero-shot classification. Rank 5.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace openclip {

/// A named set: "openai" (80 prompts for ImageNet) or "simple" (7). Each holds "{}" for the label.
/// Throws: NotFound naming the sets.
std::vector<std::string> template_set(std::string_view name);

/// The templates of `given`, then those of the named set, if one is named. Throws: as template_set.
std::vector<std::string> with_template_set(std::vector<std::string> given, std::string_view name);

/// `text` with every "{}" replaced by `label`.
std::string fill_template(std::string_view text, std::string_view label);

/// Throws: InvalidArgument if there is no template, or one without "{}".
void check_templates(const std::vector<std::string>& templates);

}  // namespace openclip
