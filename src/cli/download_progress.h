// A download on stderr: a bar on a terminal, else a line for each file. Rank 7.
#pragma once

#include <string>

#include "cli/interrupt.h"
#include "io/http/download_observer.h"

namespace openclip {

/// Bar, size, rate and time left while a file comes, one line when it is there; HF_HUB_DISABLE_
/// PROGRESS_BARS leaves the bar out, `quiet` everything. Ctrl-C cancels the download.
class DownloadProgress : public DownloadObserver {
 public:
  explicit DownloadProgress(bool quiet);
  ~DownloadProgress() override;
  void begin(const std::string& file, uint64_t have, uint64_t total) override;
  void advance(uint64_t have) override;
  void end() override;
  void note(const std::string& text) override;
  bool cancelled() override;

 private:
  void draw(double now);
  void clear();

  InterruptFlag interrupt_;
  bool quiet_;
  bool bar_;
  bool drawn_ = false;
  std::string file_;
  uint64_t first_ = 0, have_ = 0, total_ = 0;
  double began_ = 0, last_drawn_ = 0;
};

/// One line of at most `columns` columns: "name  [####    ]  45 %  271 MB of 605 MB  11.2 MB/s 0:30
/// left". Without total (0) there is no bar; what does not fit is left out from the middle.
std::string progress_line(const std::string& file, uint64_t have, uint64_t total,
                          double bytes_per_second, int columns);

/// "0:07", "12:30", "1:02:03"; "-:--" from 100 hours on.
std::string clock_text(double seconds);

}  // namespace openclip
