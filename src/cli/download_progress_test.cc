#include "cli/download_progress.h"

#include <gmock/gmock.h>

#include "cli/output.h"

namespace openclip {
namespace {

TEST(DownloadProgressTest, ALineSaysWhatIsLeft) {
  const std::string line = progress_line("w.safetensors", 250'000'000, 1'000'000'000, 10e6, 120);
  EXPECT_EQ(line,
            "w.safetensors  [#####               ]  25 %  250 MB of 1.00 GB  10.0 MB/s  1:15 left");
}

TEST(DownloadProgressTest, FitsTheTerminal) {
  const std::string name(200, 'n');
  for (const int columns : {20, 80, 100}) {
    EXPECT_LT(display_width(progress_line(name, 1, 2, 3, columns)), columns);
    EXPECT_LT(display_width(progress_line(name, 1, 0, 3, columns)), columns);
  }
  EXPECT_THAT(progress_line("w", 1, 2, 0, 100), testing::HasSubstr("-:-- left"));
  EXPECT_THAT(progress_line("w", 3, 2, 1, 100), testing::HasSubstr("100 %"));
}

TEST(DownloadProgressTest, Clock) {
  EXPECT_EQ(clock_text(7.2), "0:07");
  EXPECT_EQ(clock_text(750), "12:30");
  EXPECT_EQ(clock_text(3723), "1:02:03");
  EXPECT_EQ(clock_text(1e9), "-:--");
  EXPECT_EQ(clock_text(-1), "-:--");
  EXPECT_EQ(clock_text(0.0 / 0.0), "-:--");
}

}  // namespace
}  // namespace openclip
