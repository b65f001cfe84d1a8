// Ctrl-C and SIGTERM as a request to save and stop.
#pragma once

namespace openclip::train {

/// While one lives, the first SIGINT or SIGTERM only sets a flag; a second one ends the process.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  bool requested() const;
};

}  // namespace openclip::train
