#include "augment/augment.h"

#include "augment/colour_jitter.h"
#include "augment/gaussian_blur.h"
#include "augment/geometry.h"
#include "augment/hog.h"
#include "augment/random_crop.h"
#include "image/convert.h"
#include "image/resize.h"

namespace openclip::train {

Augmenter::Augmenter(const AugmentOptions& options, const PreprocessSettings& preprocess, int size)
    : options_(options), size_(size) {
  for (int c = 0; c < 3; ++c) {
    scale_[c] = 1 / preprocess.std[c];
    offset_[c] = preprocess.mean[c] / preprocess.std[c];
  }
}

void Augmenter::write(float r, float g, float b, float* pixel) const {
  pixel[0] = r * scale_[0] - offset_[0];
  pixel[1] = g * scale_[1] - offset_[1];
  pixel[2] = b * scale_[2] - offset_[2];
}

void Augmenter::augment(const Image& picture, const PicturePermissions& permissions, Random random,
                        float* pixels, float* hog) const {
  if (!options_.style.enabled) {
    crop_and_jitter(picture, random, pixels);
    if (hog != nullptr) hog_descriptor(place_plain(picture, size_), hog);
    return;
  }
  const Canvas clean = place(picture, size_, permissions.flip, options_.style.geometry, random);
  if (hog != nullptr) hog_descriptor(clean, hog);
  const Canvas result = restyle(clean, options_.style, permissions.recolour, random);
  for (size_t i = 0; i < result.count(); ++i)
    write(result.colour[0][i], result.colour[1][i], result.colour[2][i], pixels + 3 * i);
}

void Augmenter::crop_and_jitter(const Image& picture, Random& random, float* pixels) const {
  ResizeOptions resize_options;
  resize_options.box =
      random_crop(picture.width, picture.height, options_.scale, options_.ratio, random);
  Image image = convert_to_rgb(resize(picture, size_, size_, resize_options));
  if (random.chance(options_.color_jitter_prob))
    colour_jitter(image, options_.color_jitter, random);
  if (random.chance(options_.gray_scale_prob)) to_greyscale(image);
  if (options_.flip_prob > 0 && random.chance(options_.flip_prob)) mirror(image);
  if (options_.blur_prob > 0 && random.chance(options_.blur_prob))
    gaussian_blur(image, random.uniform(0.1, 2.0) * size_ / 224);
  const size_t count = static_cast<size_t>(size_) * size_;
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* pixel = image.pixels.data() + 3 * i;
    write(pixel[0] / 255.f, pixel[1] / 255.f, pixel[2] / 255.f, pixels + 3 * i);
  }
}

}  // namespace openclip::train
