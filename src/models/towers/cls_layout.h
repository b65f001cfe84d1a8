// Which tokens of a text CoCa's class token sees. Part of rank 4.
#pragma once

#include <cstdint>
#include <vector>

namespace openclip {

/// The tokens of one text that can change the class token, which open_clip's CoCa puts behind the
/// context's last place.
///
/// Padding is masked there one place too late: no token sees token j, itself included, where token
/// j - 1 is pad_id (TextTransformer._build_additive_mask, whose mask for the class token stands in
/// front of the others; published weights were trained so). So the class token sees the first
/// padding token, itself only if the text fills the context, and never the token behind a word
/// whose id is pad_id, which "!" is.
struct ClsLayout {
  std::vector<int64_t> places;  // of the tokens that are seen, in the padded text
  bool cls_sees_itself = false;

  /// padded: a text filled up with pad_id to the context length.
  ClsLayout(const std::vector<int32_t>& padded, int32_t pad_id) {
    for (size_t place = 0; place < padded.size(); ++place)
      if (place == 0 || padded[place - 1] != pad_id) places.push_back(static_cast<int64_t>(place));
    cls_sees_itself = padded.back() != pad_id;
  }
};

}  // namespace openclip
