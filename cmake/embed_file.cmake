# Script of openclip_embed: turns the bytes of INPUT into a C++ source OUTPUT that defines SYMBOL.
file(READ "${INPUT}" bytes HEX)
string(REGEX REPLACE "(................................................)" "\\1\n" bytes "${bytes}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${bytes}")
file(WRITE "${OUTPUT}" "#include <string_view>

namespace openclip::embedded {
namespace {
constexpr char kBytes[] = {
${bytes}};
}  // namespace
extern const std::string_view ${SYMBOL};
constinit const std::string_view ${SYMBOL}{kBytes, sizeof kBytes};
}  // namespace openclip::embedded
")
