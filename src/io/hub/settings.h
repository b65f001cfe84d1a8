// The environment variables of Python's huggingface_hub, with their meaning there. Rank 3.
#pragma once

#include <string>

namespace openclip {

struct HubSettings {
  std::string endpoint;  // HF_ENDPOINT, else https://huggingface.co; no slash at the end
  std::string token;     // HF_TOKEN, else the file HF_TOKEN_PATH or HF_HOME/token; may be empty
  bool offline = false;  // HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE
  bool progress_bars = true;  // not HF_HUB_DISABLE_PROGRESS_BARS
  int metadata_seconds = 10;  // HF_HUB_ETAG_TIMEOUT
  int download_seconds = 10;  // HF_HUB_DOWNLOAD_TIMEOUT: to connect, and without any byte
};

/// Read anew at each call.
/// Throws: InvalidArgument for timeouts that are no seconds and a token that is no line of text.
HubSettings hub_settings();

/// HF_HOME, else XDG_CACHE_HOME/huggingface, else ~/.cache/huggingface.
std::string hub_home();

/// "~/x", "$NAME/x" and "${NAME}/x" as a shell would read them; unknown names stay as they are.
std::string expand_path(const std::string& text);

}  // namespace openclip
