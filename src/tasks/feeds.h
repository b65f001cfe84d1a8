// The feeds that open_feed chooses from, one file each. Rank 5.
#pragma once

#include <memory>
#include <string>

#include "tasks/index_feed.h"

namespace openclip {

std::unique_ptr<IndexFeed> file_feed(const std::string& input);
std::unique_ptr<IndexFeed> tar_feed(const std::string& path);
std::unique_ptr<IndexFeed> list_feed(const std::string& path);
std::unique_ptr<IndexFeed> vector_feed(const std::string& input);

/// An absolute path without "." parts and trailing slashes; symbolic links stay.
std::string absolute_path(const std::string& path);

/// Sets size and time of a file; zeros where it cannot be asked.
void stat_file(const std::string& path, Origin& origin);

/// "SIZE:TIME" of a file.
std::string file_stamp(const std::string& path);

/// The names under which lists and tables give the picture and its title, best first.
inline constexpr const char* kPictureNames[] = {"image",     "image_path", "filepath", "file_path",
                                                "file_name", "filename",   "path",     "file"};
inline constexpr const char* kTitleNames[] = {"title", "name", "caption", "text"};

/// Takes the first of the names that `object` has as a text out of it; empty if none is there.
template <size_t kNames>
std::string take_text(Json& object, const char* const (&names)[kNames]) {
  for (const char* name : names) {
    const auto at = object.find(name);
    if (at == object.end() || !at->is_string() || at->get_ref<const std::string&>().empty())
      continue;
    std::string text = at->get<std::string>();
    object.erase(at);
    return text;
  }
  return {};
}

}  // namespace openclip
