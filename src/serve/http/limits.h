// What the server grants to one connection, one request and all of them together. Rank 6.
#pragma once

#include <chrono>
#include <cstddef>

namespace openclip {

/// Every bound is checked before the memory or the time that it limits is spent.
struct HttpLimits {
  size_t max_connections = 1000;
  size_t max_header_bytes = size_t{16} << 10;
  size_t max_headers = 100;
  size_t max_body_bytes = size_t{20} << 20;
  size_t body_budget_bytes = size_t{256} << 20;  // bodies of all requests being read or answered
  std::chrono::milliseconds header_timeout{10'000};  // from a header's first byte to its last
  std::chrono::milliseconds body_timeout{30'000};    // the same of a body
  std::chrono::milliseconds idle_timeout{60'000};    // between requests of one connection
  std::chrono::milliseconds write_timeout{60'000};
  std::chrono::milliseconds drain_timeout{30'000};  // for requests in work when told to stop
};

/// How requests wait for their turn.
struct QueueLimits {
  size_t max_requests = 512;  // waiting and in work; one more is answered 429
  int workers = 64;           // threads that answer; most of the time they wait for a tower
  std::chrono::milliseconds queue_timeout{10'000};    // waiting longer is answered 503
  std::chrono::milliseconds request_timeout{60'000};  // from arrival to the end of the work
};

/// What one request may ask for.
struct RequestLimits {
  size_t max_texts = 256;
  size_t max_text_bytes = size_t{32} << 10;
  size_t max_images = 64;
  size_t max_image_bytes = size_t{10} << 20;
  long long max_image_pixels = 100'000'000;    // of one picture
  long long max_request_pixels = 200'000'000;  // of all pictures of a request, decoded
  size_t max_labels = 1000;
  size_t max_detect_labels = 256;
  size_t max_explain_bytes = size_t{2} << 10;  // each word is left out of the text once
  size_t max_prompts = 8192;  // labels times templates
  size_t max_results = 10'000;
  int max_json_depth = 32;
  size_t max_json_values = 250'000;
};

}  // namespace openclip
