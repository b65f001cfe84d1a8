#include "tasks/build_index.h"

#include <chrono>
#include <mutex>
#include <unordered_set>

#include "base/error.h"
#include "models/preprocess_config.h"
#include "tasks/image_stream.h"
#include "tasks/index_feed.h"
#include "tasks/ordered_prefetch.h"
#include "tasks/prepare_picture.h"

namespace openclip {
namespace {

// An entry on its way: what the index knows of it, and what the towers need.
struct Prepared {
  IndexEntry entry;
  std::optional<KnownItem> known;
  bool unchanged = false;
  std::vector<float> pixels;  // empty where entry.vector is there, and for unchanged entries
};

class Builder {
 public:
  Builder(const Context& context, const Model* model, IndexWriter& writer,
          const BuildRequest& request, const BuildListener& listener)
      : context_(context),
        model_(model),
        writer_(writer),
        request_(request),
        listener_(listener),
        committed_(Clock::now()) {
    if (model != nullptr) pixels_config_ = preprocess_config(model->config());
  }

  BuildCounts run() {
    for (const std::string& input : request_.inputs) {
      try {
        run_input(input);
      } catch (const NotFound& error) {
        skip(error.what());
      } catch (const ParseError& error) {
        skip(error.what());
      } catch (const Unsupported& error) {
        skip(error.what());
      }
    }
    writer_.commit();
    return counts_;
  }

 private:
  using Clock = std::chrono::steady_clock;

  void run_input(const std::string& input) {
    const std::unique_ptr<IndexFeed> feed = open_feed(input);
    check_arg(is_vector_input(input) || model_ != nullptr, "{}: pictures need a model", input);
    total_ = request_.inputs.size() == 1 ? feed->total() : std::nullopt;
    // Taken before the input is read: what changes meanwhile is looked at the next time.
    const std::string stamp = feed->stamp();
    if (!stamp.empty() && writer_.stamp(feed->source()) == stamp) {
      counts_.unchanged += static_cast<int64_t>(writer_.ids_of(feed->source()).size());
      return progress();
    }
    const int64_t skipped_before = counts_.skipped;
    std::unordered_set<int64_t> seen;
    {
      OrderedPrefetch<Prepared, Prepared> stream(
          context_.threads(), 2 * request_.batch, [&] { return take(*feed); },
          [this](Prepared prepared) { return prepare(std::move(prepared)); });
      while (std::optional<Prepared> prepared = stream.next()) {
        if (prepared->known) seen.insert(prepared->known->id);
        accept(std::move(*prepared), seen);
      }
    }
    flush(seen);
    if (feed->complete()) remove_unseen(feed->source(), seen);
    if (feed->complete() && counts_.skipped == skipped_before && !stamp.empty())
      writer_.set_stamp(feed->source(), stamp);
    progress();
  }

  // The feed's next entry, and whether the index has it already. Runs on a thread of the stream.
  std::optional<Prepared> take(IndexFeed& feed) {
    std::optional<IndexEntry> entry = feed.next();
    if (!entry) return std::nullopt;
    Prepared prepared{std::move(*entry), std::nullopt, false, {}};
    if (!prepared.entry.problem.empty()) return prepared;
    prepared.entry.origin.source = feed.source();
    const std::lock_guard lock(mutex_);
    prepared.known = writer_.find(prepared.entry.item.path);
    const Origin& origin = prepared.entry.origin;
    prepared.unchanged = prepared.known && origin.mtime != 0 &&
                         prepared.known->origin.mtime == origin.mtime &&
                         prepared.known->origin.size == origin.size;
    return prepared;
  }

  // Reads and decodes what is new. Runs on a thread of the stream.
  Prepared prepare(Prepared prepared) {
    IndexEntry& entry = prepared.entry;
    if (prepared.unchanged || !entry.problem.empty()) return prepared;
    if (!entry.vector.empty()) {
      entry.origin.hash = content_hash({reinterpret_cast<const uint8_t*>(entry.vector.data()),
                                        entry.vector.size() * sizeof(float)});
      return prepared;
    }
    entry.problem = picture_problem(entry.image.name, [&] {
      const std::vector<uint8_t> bytes = load_image_bytes(entry.image);
      entry.origin.hash = content_hash(bytes);
      entry.origin.size = static_cast<int64_t>(bytes.size());
      if (same_content(prepared)) return;
      if (auto vector = find_content(entry.origin.hash))
        entry.vector = std::move(*vector);
      else
        prepared.pixels = tower_pixels(decode_image(bytes, entry.image.name), pixels_config_);
    });
    return prepared;
  }

  std::optional<std::vector<float>> find_content(const std::string& hash) {
    const std::lock_guard lock(mutex_);
    return writer_.find_content(hash);
  }

  static bool same_content(const Prepared& prepared) {
    return prepared.known && prepared.known->origin.hash == prepared.entry.origin.hash;
  }

  void accept(Prepared prepared, std::unordered_set<int64_t>& seen) {
    const IndexEntry& entry = prepared.entry;
    if (!entry.problem.empty()) {
      skip(entry.problem);
      // What cannot be read any more is not in the index any more.
      if (prepared.known) seen.erase(prepared.known->id);
    } else if (prepared.unchanged || same_content(prepared)) {
      keep(prepared);
    } else if (!entry.vector.empty()) {
      store(prepared, entry.vector, seen);
    } else {
      waiting_.push_back(std::move(prepared));
      if (waiting_.size() == request_.batch) flush(seen);
    }
    commit_sometimes();
    progress();
  }

  // The vector stays; what is told of it may have changed.
  void keep(const Prepared& prepared) {
    const IndexEntry& entry = prepared.entry;
    const KnownItem& known = *prepared.known;
    const bool told_anew =
        known.title != entry.item.title || known.fields != fields_text(entry.item);
    ++(told_anew ? counts_.changed : counts_.unchanged);
    if (prepared.unchanged && !told_anew) return;
    Item item = entry.item;
    item.id = known.id;
    Origin origin = entry.origin;
    if (origin.hash.empty()) origin.hash = known.origin.hash;  // it was not read
    const std::lock_guard lock(mutex_);
    writer_.describe(item, origin);
  }

  void flush(std::unordered_set<int64_t>& seen) {
    if (waiting_.empty()) return;
    const auto dim = static_cast<size_t>(writer_.space().dim);
    std::vector<float> pixels, features(waiting_.size() * dim);
    for (const Prepared& prepared : waiting_)
      pixels.insert(pixels.end(), prepared.pixels.begin(), prepared.pixels.end());
    model_->encode_image(context_, pixels.data(), static_cast<int64_t>(waiting_.size()),
                         features.data());
    for (size_t i = 0; i < waiting_.size(); ++i)
      store(waiting_[i], std::span(features).subspan(i * dim, dim), seen);
    waiting_.clear();
  }

  void store(const Prepared& prepared, std::span<const float> vector,
             std::unordered_set<int64_t>& seen) {
    const std::lock_guard lock(mutex_);
    seen.insert(writer_.put(prepared.entry.item, prepared.entry.origin, vector));
    ++(prepared.known ? counts_.changed : counts_.added);
  }

  void remove_unseen(const std::string& source, const std::unordered_set<int64_t>& seen) {
    for (const int64_t id : writer_.ids_of(source)) {
      if (seen.contains(id)) continue;
      writer_.remove(id);
      ++counts_.removed;
    }
  }

  void commit_sometimes() {
    const std::chrono::duration<double> since = Clock::now() - committed_;
    if (since.count() < request_.commit_seconds) return;
    const std::lock_guard lock(mutex_);
    writer_.commit();
    committed_ = Clock::now();
  }

  void skip(const std::string& problem) {
    ++counts_.skipped;
    if (listener_.on_skipped) listener_.on_skipped(problem);
  }

  void progress() {
    if (listener_.on_progress) listener_.on_progress(counts_, total_);
  }

  const Context& context_;
  const Model* model_;
  IndexWriter& writer_;
  std::mutex mutex_;  // of the writer: threads of the stream ask it what it knows
  const BuildRequest& request_;
  const BuildListener& listener_;
  PreprocessConfig pixels_config_;
  BuildCounts counts_;
  std::optional<int64_t> total_;
  std::vector<Prepared> waiting_;  // for the tower
  Clock::time_point committed_;
};

}  // namespace

BuildCounts build_index(const Context& context, const Model* model, IndexWriter& writer,
                        const BuildRequest& request, const BuildListener& listener) {
  check_arg(request.batch > 0, "[index] batch must be above 0");
  return Builder(context, model, writer, request, listener).run();
}

}  // namespace openclip
