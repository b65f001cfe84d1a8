#include "base/shared_library.h"

#include <gmock/gmock.h>

#include "base/error.h"

namespace openclip {
namespace {

TEST(SharedLibraryTest, LoadsTheFirstThatExists) {
  const SharedLibrary math({"libnothing.so.7", "libm.so.6"}, "libm is not installed");
  double (*cosine)(double) = nullptr;
  math.bind("cos", cosine);
  EXPECT_EQ(cosine(0), 1);
  EXPECT_THROW(math.bind("no_such_function", cosine), Unsupported);
}

TEST(SharedLibraryTest, SaysWhatIsMissing) {
  try {
    SharedLibrary({"libnothing.so.7"}, "install libnothing7");
    FAIL();
  } catch (const Unsupported& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("install libnothing7"));
  }
}

}  // namespace
}  // namespace openclip
