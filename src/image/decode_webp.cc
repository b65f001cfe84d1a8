// WebP through libwebp. The canvas is the size; the first frame is put on a canvas of zeros.
#include <webp/decode.h>
#include <webp/demux.h>

#include <memory>

#include "base/error.h"
#include "image/decode_formats.h"

namespace openclip {
namespace {

struct DemuxDelete {
  void operator()(WebPDemuxer* demux) const { WebPDemuxDelete(demux); }
};

}  // namespace

Image decode_webp(const DecodeInput& input) {
  const WebPData data{input.bytes.data(), input.bytes.size()};
  WebPDemuxState state = WEBP_DEMUX_PARSE_ERROR;
  std::unique_ptr<WebPDemuxer, DemuxDelete> demux(WebPDemuxPartial(&data, &state));
  if (!demux || state == WEBP_DEMUX_PARSE_ERROR) {
    throw ParseError(input.source, "damaged WebP: its chunks do not follow the format");
  }
  if (state != WEBP_DEMUX_DONE) throw ParseError(input.source, "truncated WebP: ends too early");

  const uint32_t width = WebPDemuxGetI(demux.get(), WEBP_FF_CANVAS_WIDTH);
  const uint32_t height = WebPDemuxGetI(demux.get(), WEBP_FF_CANVAS_HEIGHT);
  check_size(input, "WebP", width, height);
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(data.bytes, data.size, &features) != VP8_STATUS_OK) {
    throw ParseError(input.source, "damaged WebP: no picture header");
  }
  WebPIterator frame = {};
  if (!WebPDemuxGetFrame(demux.get(), 1, &frame)) {
    throw ParseError(input.source, "damaged WebP: no frame");
  }
  std::unique_ptr<WebPIterator, decltype(&WebPDemuxReleaseIterator)> release(
      &frame, WebPDemuxReleaseIterator);

  Image image = make_image(features.has_alpha ? PixelMode::rgba : PixelMode::rgb,
                           static_cast<int>(width), static_cast<int>(height));
  const int channels = bytes_per_pixel(image.mode);
  // The demuxer has checked that the frame lies on the canvas; check again, memory depends on it.
  if (frame.x_offset < 0 || frame.y_offset < 0 || frame.width <= 0 || frame.height <= 0 ||
      frame.x_offset + frame.width > image.width || frame.y_offset + frame.height > image.height) {
    throw ParseError(input.source, "damaged WebP: a frame outside the canvas");
  }
  uint8_t* out = image.row(frame.y_offset) + static_cast<size_t>(frame.x_offset) * channels;
  const size_t room = image.pixels.size() - static_cast<size_t>(out - image.pixels.data());
  const auto decode = image.mode == PixelMode::rgba ? WebPDecodeRGBAInto : WebPDecodeRGBInto;
  if (!decode(frame.fragment.bytes, frame.fragment.size, out, room,
              static_cast<int>(image.row_bytes()))) {
    throw ParseError(input.source, "damaged WebP: the pixels cannot be decoded");
  }
  return image;
}

}  // namespace openclip
