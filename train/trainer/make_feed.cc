#include "base/error.h"
#include "trainer/parts.h"

namespace openclip::train {

Feed make_feed(const Options& options, const ModelSource& source, int processes, RunLog& log) {
  Feed feed;
  const ModelConfig& config = source.config;
  feed.dataset =
      open_dataset(options, config, processes, [&log](const std::string& text) { log.line(text); });
  if (options.extra_texts > 0 && (feed.dataset->size() < 1 || feed.dataset->text(0) == nullptr))
    throw Error(
        "--extra-texts draws samples by number, which needs --cache-decoded (and that they fit), a "
        "CSV file or a folder");
  if (!options.visual_stage) feed.encode = open_tokenizer(source);
  const int size = config.vision.image_size;
  feed.augmenter = std::make_unique<Augmenter>(options.augment, config.preprocess, size);
  if (options.views > 0)
    feed.view_augmenter =
        std::make_unique<Augmenter>(options.view_augment, config.preprocess, size);
  int64_t samples = options.train_num_samples;
  if (samples == 0) samples = feed.dataset->size();
  if (samples < 0)
    throw InvalidArgument(
        "--train-num-samples is needed: shards do not say how many samples they hold "
        "(or --cache-decoded, if they fit in memory)");
  const int64_t per_step = options.batch_size * options.accum_freq * processes;
  feed.batches_per_epoch = samples / per_step * options.accum_freq;
  if (feed.batches_per_epoch == 0)
    throw Error(
        fmt::format("{} samples are less than one step of {} x {} x {} (batch size, "
                    "accumulation, processes)",
                    samples, options.batch_size, options.accum_freq, processes));
  log.line(fmt::format("an epoch has {} samples in {} steps", samples,
                       feed.batches_per_epoch / options.accum_freq));
  return feed;
}

std::unique_ptr<Loader> Feed::start(const Options& options, const ModelConfig& config, Part part,
                                    int64_t first_batch, RunLog& log) {
  return std::make_unique<Loader>(
      *dataset, *augmenter, encode,
      LoaderOptions{.batch_size = options.batch_size,
                    .batches_per_epoch = batches_per_epoch,
                    .part = part,
                    .workers = options.workers,
                    .prefetch = static_cast<int>(2 + options.accum_freq),
                    .seed = options.seed,
                    .image_size = config.vision.image_size,
                    .context_length = config.text.context_length,
                    .pad_id = config.text.pad_id,
                    .with_hog = options.hog_distill > 0,
                    .need_captions = !options.visual_stage,
                    .with_text = !options.visual_stage,
                    .extra_texts = options.extra_texts,
                    .captions = options.captions,
                    .view_augmenter = view_augmenter.get(),
                    .with_pixels = !options.visual_stage},
      first_batch, [&log](const std::string& text) { log.line("skipped: " + text); });
}

}  // namespace openclip::train
