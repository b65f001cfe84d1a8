#include "serve/formats/multipart.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace openclip {
namespace {

constexpr const char* kSource = "multipart body";

// Value of `; name=VALUE` or `; name="VALUE"` in a header, "" when absent.
std::string header_parameter(std::string_view header, std::string_view name) {
  const std::string small = ascii_lower(std::string(header));
  const std::string wanted = std::string(name) + "=";
  for (size_t at = small.find(';'); at != std::string::npos; at = small.find(';', at)) {
    ++at;
    while (at < small.size() && (small[at] == ' ' || small[at] == '\t')) ++at;
    if (small.compare(at, wanted.size(), wanted) != 0) continue;
    at += wanted.size();
    std::string value;
    if (at < header.size() && header[at] == '"') {
      for (++at; at < header.size() && header[at] != '"'; ++at) {
        if (header[at] == '\\' && at + 1 < header.size()) ++at;
        value += header[at];
      }
      return value;
    }
    while (at < header.size() && header[at] != ';' && header[at] != ' ') value += header[at++];
    return value;
  }
  return "";
}

std::string boundary_of(std::string_view content_type) {
  if (!ascii_lower(std::string(content_type)).starts_with("multipart/form-data"))
    throw ParseError(kSource, "the Content-Type must be multipart/form-data");
  std::string boundary = header_parameter(content_type, "boundary");
  if (boundary.empty() || boundary.size() > 70)
    throw ParseError(kSource, "the Content-Type names no boundary of 1 to 70 characters");
  return boundary;
}

FormPart read_part_header(std::string_view header) {
  FormPart part;
  while (!header.empty()) {
    const size_t end = std::min(header.find("\r\n"), header.size());
    const std::string_view line = header.substr(0, end);
    if (ascii_lower(std::string(line.substr(0, 20))) == "content-disposition:") {
      part.name = header_parameter(line, "name");
      part.filename = header_parameter(line, "filename");
    }
    header.remove_prefix(std::min(end + 2, header.size()));
  }
  if (part.name.empty()) throw ParseError(kSource, "a part has no name");
  return part;
}

}  // namespace

std::vector<FormPart> parse_multipart(std::string_view content_type, std::string_view body,
                                      const MultipartLimits& limits) {
  const std::string delimiter = "\r\n--" + boundary_of(content_type);
  std::vector<FormPart> parts;
  // The first delimiter may stand at the very beginning, without its line break.
  const bool at_once = body.starts_with(std::string_view(delimiter).substr(2));
  size_t at = at_once ? 0 : body.find(delimiter);
  if (at == std::string_view::npos) throw ParseError(kSource, "the boundary does not occur");
  at += delimiter.size() - (at_once ? 2 : 0);
  while (true) {
    const std::string_view rest = body.substr(at);
    if (rest.starts_with("--")) return parts;
    if (!rest.starts_with("\r\n")) throw ParseError(kSource, "a boundary does not end its line");
    if (parts.size() == limits.max_parts)
      throw ParseError(kSource, fmt::format("more than {} parts", limits.max_parts));
    const size_t header_end = rest.substr(0, limits.max_part_header_bytes).find("\r\n\r\n");
    if (header_end == std::string_view::npos)
      throw ParseError(kSource, "a part's header does not end, or is too long");
    FormPart part = read_part_header(header_end < 2 ? "" : rest.substr(2, header_end - 2));
    const size_t begin = at + header_end + 4;
    // The data may be empty, and then the line break of the header is that of the delimiter.
    const size_t end = body.find(delimiter, begin - 2);
    if (end == std::string_view::npos) throw ParseError(kSource, "the last boundary is missing");
    part.data = end < begin ? std::string_view() : body.substr(begin, end - begin);
    parts.push_back(std::move(part));
    at = end + delimiter.size();
  }
}

const FormPart* find_part(const std::vector<FormPart>& parts, std::string_view name) {
  const auto found = std::find_if(parts.begin(), parts.end(),
                                  [&](const FormPart& part) { return part.name == name; });
  return found == parts.end() ? nullptr : &*found;
}

}  // namespace openclip
