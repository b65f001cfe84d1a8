// Waiting for other threads of one job. Rank 0.
#pragma once

namespace openclip {

/// Whether condition() comes true within about a hundred turns, some microseconds at most: most
/// waits inside of a product are shorter than one call of the system's yield.
template <class Condition>
bool spin_briefly(const Condition& condition) {
  for (int turn = 0; turn < 100; ++turn) {
    if (condition()) return true;
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
  return false;
}

}  // namespace openclip
