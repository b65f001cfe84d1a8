// The command line's flags, before they make sense together.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "trainer/options.h"

namespace openclip::train {

/// What CLI11 cannot store in Options by itself.
struct RawFlags {
  std::string json_text_key, json_text_key_probs, label_key, scheduler = "cosine", report_to;
  std::string optimizer = "adamw", upsampling_factors, stage = "pairs";
  std::vector<std::string> aug_cfg, ssl_aug_cfg;
  std::optional<double> lr, beta1, beta2, eps, lora_alpha;
  bool skip_scheduler = false;
};

/// Declares all flags; parsing fills `options` and `raw`, which must outlive the app.
void add_flags(CLI::App& app, Options& options, RawFlags& raw);

}  // namespace openclip::train
