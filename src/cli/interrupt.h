// Ctrl-C as a wish instead of an end, while something can be left in good order. Rank 7.
#pragma once

#include <csignal>

namespace openclip {

/// While it lives, the first SIGINT only sets a flag; a second one ends the program as ever. A
/// signal that nobody acted on takes effect at destruction. Where SIGINT is ignored (nohup), it
/// stays so. One at a time.
class InterruptFlag {
 public:
  InterruptFlag();
  ~InterruptFlag();
  InterruptFlag(const InterruptFlag&) = delete;
  InterruptFlag& operator=(const InterruptFlag&) = delete;
  bool raised() const;

 private:
  struct sigaction before_ {};
  bool installed_ = false;
  int exceptions_ = 0;
};

}  // namespace openclip
