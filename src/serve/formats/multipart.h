// multipart/form-data (RFC 7578). Rank 6.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace openclip {

struct FormPart {
  std::string name;
  std::string filename;   // empty = no file
  std::string_view data;  // into the body that was parsed
};

struct MultipartLimits {
  size_t max_parts = 32;
  size_t max_part_header_bytes = size_t{4} << 10;
};

/// The parts of a body; content_type is the request's header, which names the boundary.
/// Throws: ParseError.
std::vector<FormPart> parse_multipart(std::string_view content_type, std::string_view body,
                                      const MultipartLimits& limits = {});

/// The part of a name, or null.
const FormPart* find_part(const std::vector<FormPart>& parts, std::string_view name);

}  // namespace openclip
