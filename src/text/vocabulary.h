// Where CLIP's vocabulary lies on this machine; it is fetched at set-up and not part of the
// program. Rank 3.
#pragma once

#include <memory>
#include <string>

#include "text/tokenizer.h"

namespace openclip {

/// Path of bpe_simple_vocab_16e6.txt.gz: $OPENCLIP_VOCAB; else in the cache folder, that is
/// $OPENCLIP_CACHE, $XDG_CACHE_HOME/openclip or ~/.cache/openclip; else beside the running program.
/// Throws: NotFound, saying how to get it.
std::string find_clip_vocabulary();

/// CLIP's tokenizer from find_clip_vocabulary().
std::unique_ptr<const Tokenizer> open_clip_vocabulary(int context_length = 77);

}  // namespace openclip
