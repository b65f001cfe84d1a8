#include "io/http/download_observer.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "io/http/errors.h"

namespace openclip {

void throw_if_cancelled(DownloadObserver& observer) {
  if (observer.cancelled())
    throw Cancelled("interrupted; what was fetched stays, and the same command goes on from there");
}

void sleep_watching(DownloadObserver& observer, double seconds) {
  constexpr double kStep = 0.05;
  for (double left = seconds; left > 0; left -= kStep) {
    throw_if_cancelled(observer);
    std::this_thread::sleep_for(std::chrono::duration<double>(std::min(left, kStep)));
  }
  throw_if_cancelled(observer);
}

}  // namespace openclip
