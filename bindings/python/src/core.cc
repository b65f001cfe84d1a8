// openclip._core: the C++ API for Python. Arrays come in and go out as they lie in memory, and the
// GIL is released while the engine works. The names that users see are in openclip/*.py.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <openclip/clip.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace nb = nanobind;
using nb::literals::operator""_a;

namespace {

using Floats = nb::ndarray<const float, nb::c_contig, nb::device::cpu>;
using FloatsOut = nb::ndarray<float, nb::c_contig, nb::device::cpu>;
using Ids = nb::ndarray<const std::int32_t, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Bytes = nb::ndarray<const std::uint8_t, nb::c_contig, nb::device::cpu>;
using FloatArray = nb::ndarray<nb::numpy, float>;
using IdArray = nb::ndarray<nb::numpy, std::int64_t, nb::ndim<2>>;

// A numpy array that owns uninitialised memory, which the engine then fills.
template <class Array, class T>
Array new_array(std::initializer_list<std::size_t> shape) {
  std::size_t size = 1;
  for (const std::size_t n : shape) size *= n;
  auto data = std::make_unique_for_overwrite<T[]>(size);
  nb::capsule owner(data.get(), [](void* p) noexcept { delete[] static_cast<T*>(p); });
  return Array(data.release(), shape, owner);
}

template <class Array>
std::span<float> floats(const Array& array) {
  return {const_cast<float*>(array.data()), array.size()};
}

// The exception classes live in openclip/_errors.py, where their bases can be read.
const char* python_name(openclip::ErrorCode code) {
  switch (code) {
    case openclip::ErrorCode::invalid_argument:
      return "InvalidArgument";
    case openclip::ErrorCode::not_found:
      return "NotFound";
    case openclip::ErrorCode::unsupported:
      return "Unsupported";
    case openclip::ErrorCode::io:
      return "IoError";
    case openclip::ErrorCode::parse:
      return "ParseError";
    case openclip::ErrorCode::network:
      return "NetworkError";
    case openclip::ErrorCode::cancelled:
      return "Cancelled";
    case openclip::ErrorCode::out_of_memory:
    case openclip::ErrorCode::internal:
      break;
  }
  return "Error";
}

void translate(const std::exception_ptr& pointer, void*) {
  try {
    std::rethrow_exception(pointer);
  } catch (const openclip::Error& error) {
    const nb::object type =
        nb::module_::import_("openclip._errors").attr(python_name(error.code()));
    PyErr_SetString(type.ptr(), error.what());
  }
}

// pixels [..., 3, side, side], or one picture [3, side, side], as many as there are.
std::size_t count_pictures(const openclip::Model& model, const Floats& pixels) {
  const auto side = static_cast<std::size_t>(model.image_size());
  const std::size_t rank = pixels.ndim();
  if ((rank != 3 && rank != 4) || pixels.shape(rank - 3) != 3 || pixels.shape(rank - 2) != side ||
      pixels.shape(rank - 1) != side) {
    std::string shape;
    for (std::size_t i = 0; i < rank; ++i)
      shape += (i > 0 ? ", " : "") + std::to_string(pixels.shape(i));
    throw openclip::InvalidArgument("[encode_image] expected an array [n, 3, " +
                                    std::to_string(side) + ", " + std::to_string(side) +
                                    "], got [" + shape + "]");
  }
  return rank == 3 ? 1 : pixels.shape(0);
}

FloatArray encode_image(const openclip::Model& model, const Floats& pixels, bool normalize) {
  auto out = new_array<FloatArray, float>({count_pictures(model, pixels), model.embed_dim()});
  const nb::gil_scoped_release released;
  model.encode_image(floats(pixels), floats(out), normalize);
  return out;
}

void encode_image_into(const openclip::Model& model, const Floats& pixels, const FloatsOut& out,
                       bool normalize) {
  count_pictures(model, pixels);
  const nb::gil_scoped_release released;
  model.encode_image(floats(pixels), floats(out), normalize);
}

FloatArray encode_text(const openclip::Model& model, const Ids& ids, bool normalize) {
  auto out = new_array<FloatArray, float>({ids.shape(0), model.embed_dim()});
  if (ids.size() == 0) return out;
  const nb::gil_scoped_release released;
  model.encode_text({ids.data(), ids.size()}, ids.shape(1), floats(out), normalize);
  return out;
}

void encode_text_into(const openclip::Model& model, const Ids& ids, const FloatsOut& out,
                      bool normalize) {
  const nb::gil_scoped_release released;
  model.encode_text({ids.data(), ids.size()}, ids.shape(1), floats(out), normalize);
}

// int64, as open_clip's generate gives it.
IdArray generate(const openclip::Model& model, const Floats& pixels,
                 const openclip::GenerateOptions& options) {
  count_pictures(model, pixels);
  openclip::Tokens tokens;
  {
    const nb::gil_scoped_release released;
    tokens = model.generate({pixels.data(), pixels.size()}, options);
  }
  auto out = new_array<IdArray, std::int64_t>({tokens.rows, tokens.context_length});
  std::copy(tokens.ids.begin(), tokens.ids.end(), out.data());
  return out;
}

// int64, as open_clip's tokenizers give it.
std::pair<IdArray, std::vector<std::size_t>> tokenize(const openclip::Tokenizer& tokenizer,
                                                      const std::vector<std::string>& texts,
                                                      int context_length) {
  openclip::Tokens tokens;
  {
    const nb::gil_scoped_release released;
    tokens = tokenizer(texts, context_length);
  }
  auto out = new_array<IdArray, std::int64_t>({tokens.rows, tokens.context_length});
  std::copy(tokens.ids.begin(), tokens.ids.end(), out.data());
  return {std::move(out), std::move(tokens.truncated)};
}

// Calls the overload for `input` with the GIL released.
template <class Input>
FloatArray preprocess(const openclip::Preprocess& transform, const Input& input) {
  const openclip::PreprocessOptions& options = transform.options();
  auto out = new_array<FloatArray, float>(
      {3, static_cast<std::size_t>(options.height), static_cast<std::size_t>(options.width)});
  const nb::gil_scoped_release released;
  transform(input, floats(out));
  return out;
}

FloatArray preprocess_bytes(const openclip::Preprocess& transform, const nb::bytes& bytes) {
  return preprocess(transform,
                    std::span(static_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
}

FloatArray preprocess_pixels(const openclip::Preprocess& transform, const Bytes& pixels, int width,
                             int height, int format, const nb::bytes& palette) {
  openclip::ImageView view;
  view.pixels = pixels.data();
  view.width = width;
  view.height = height;
  view.format = static_cast<openclip::PixelFormat>(format);
  view.palette = {static_cast<const std::uint8_t*>(palette.data()), palette.size()};
  const std::size_t depth[] = {0, 1, 2, 3, 4, 4, 2, 1, 1};
  if (format < 1 || format > 8 || width < 1 || height < 1 ||
      pixels.size() !=
          depth[format] * static_cast<std::size_t>(width) * static_cast<std::size_t>(height))
    throw openclip::InvalidArgument("[preprocess] " + std::to_string(pixels.size()) +
                                    " bytes are no picture of " + std::to_string(width) + "x" +
                                    std::to_string(height));
  return preprocess(transform, view);
}

void bind_model(nb::module_& m) {
  using openclip::Model;
  nb::class_<Model>(m, "Model")
      .def("encode_image", &encode_image, "pixels"_a, "normalize"_a)
      .def("encode_image_into", &encode_image_into, "pixels"_a, "out"_a.noconvert(), "normalize"_a)
      .def("encode_text", &encode_text, "ids"_a, "normalize"_a)
      .def("encode_text_into", &encode_text_into, "ids"_a, "out"_a.noconvert(), "normalize"_a)
      .def("generate", &generate, "pixels"_a, "options"_a)
      .def_prop_ro("logit_scale", &Model::logit_scale)
      .def_prop_ro("logit_bias", &Model::logit_bias)
      .def_prop_ro("name", &Model::name)
      .def_prop_ro("embed_dim", &Model::embed_dim)
      .def_prop_ro("image_size", &Model::image_size)
      .def_prop_ro("context_length", &Model::context_length)
      .def_prop_ro("vocab_size", &Model::vocab_size)
      .def_prop_ro("config", &Model::config)
      .def_prop_ro("notes", &Model::notes);
}

void bind_preprocess(nb::module_& m) {
  using openclip::Preprocess;
  nb::class_<Preprocess>(m, "Preprocess")
      .def(
          "__init__",
          [](Preprocess* self, int height, int width, const std::array<float, 3>& mean,
             const std::array<float, 3>& std, const std::string& interpolation,
             const std::string& resize_mode, int fill_color) {
            new (self)
                Preprocess({height, width, mean, std, interpolation, resize_mode, fill_color});
          },
          "height"_a, "width"_a, "mean"_a, "std"_a, "interpolation"_a, "resize_mode"_a,
          "fill_color"_a)
      .def("file", &preprocess<std::string>, "path"_a)
      .def("bytes", &preprocess_bytes, "data"_a)
      .def("pixels", &preprocess_pixels, "pixels"_a, "width"_a, "height"_a, "format"_a, "palette"_a)
      .def_prop_ro("options", [](const Preprocess& self) {
        const openclip::PreprocessOptions& o = self.options();
        nb::dict options;
        options["size"] = nb::make_tuple(o.height, o.width);
        options["mean"] = nb::make_tuple(o.mean[0], o.mean[1], o.mean[2]);
        options["std"] = nb::make_tuple(o.std[0], o.std[1], o.std[2]);
        options["interpolation"] = o.interpolation;
        options["resize_mode"] = o.resize_mode;
        options["fill_color"] = o.fill_color;
        return options;
      });
}

void bind_tokenizer(nb::module_& m) {
  using openclip::Tokenizer;
  nb::class_<Tokenizer>(m, "Tokenizer")
      .def("tokenize", &tokenize, "texts"_a, "context_length"_a)
      .def("encode", &Tokenizer::encode, "text"_a)
      .def(
          "decode",
          [](const Tokenizer& self, const std::vector<std::int32_t>& ids) {
            return self.decode(ids);
          },
          "ids"_a)
      .def_prop_ro("context_length", &Tokenizer::context_length)
      .def_prop_ro("vocab_size", &Tokenizer::vocab_size)
      .def_prop_ro("sot_token_id", &Tokenizer::sot_token_id)
      .def_prop_ro("eot_token_id", &Tokenizer::eot_token_id)
      .def_prop_ro("pad_token_id", &Tokenizer::pad_token_id);
}

std::pair<openclip::Model, openclip::Preprocess> create(const std::string& name,
                                                        const openclip::ModelOptions& options) {
  const nb::gil_scoped_release released;
  auto made = openclip::create_model_and_transforms(name, options);
  return {std::move(made.model), std::move(made.preprocess)};
}

}  // namespace

NB_MODULE(_core, m) {
  nb::register_exception_translator(&translate);
  bind_model(m);
  bind_preprocess(m);
  bind_tokenizer(m);
  nb::class_<openclip::ModelOptions>(m, "ModelOptions")
      .def(nb::init<>())
      .def_rw("pretrained", &openclip::ModelOptions::pretrained)
      .def_rw("precision", &openclip::ModelOptions::precision)
      .def_rw("threads", &openclip::ModelOptions::threads)
      .def_rw("cache_dir", &openclip::ModelOptions::cache_dir)
      .def_rw("force_quick_gelu", &openclip::ModelOptions::force_quick_gelu)
      .def_rw("image_mean", &openclip::ModelOptions::image_mean)
      .def_rw("image_std", &openclip::ModelOptions::image_std)
      .def_rw("image_interpolation", &openclip::ModelOptions::image_interpolation)
      .def_rw("image_resize_mode", &openclip::ModelOptions::image_resize_mode)
      .def_prop_rw(
          "towers",
          [](const openclip::ModelOptions& self) { return static_cast<int>(self.towers); },
          [](openclip::ModelOptions& self, int towers) {
            self.towers = static_cast<openclip::Towers>(towers);
          });
  using openclip::GenerateOptions;
  nb::class_<GenerateOptions>(m, "GenerateOptions")
      .def(nb::init<>())
      .def_rw("generation_type", &GenerateOptions::generation_type)
      .def_rw("seq_len", &GenerateOptions::seq_len)
      .def_rw("min_seq_len", &GenerateOptions::min_seq_len)
      .def_rw("temperature", &GenerateOptions::temperature)
      .def_rw("top_p", &GenerateOptions::top_p)
      .def_rw("top_k", &GenerateOptions::top_k)
      .def_rw("num_beams", &GenerateOptions::num_beams)
      .def_rw("num_beam_groups", &GenerateOptions::num_beam_groups)
      .def_rw("repetition_penalty", &GenerateOptions::repetition_penalty)
      .def_rw("seed", &GenerateOptions::seed)
      .def_rw("sot_token_id", &GenerateOptions::sot_token_id)
      .def_rw("eos_token_id", &GenerateOptions::eos_token_id);
  m.def("create", &create, "name"_a, "options"_a);
  m.def(
      "get_tokenizer",
      [](const std::string& name, int context_length, const std::string& cache_dir) {
        const nb::gil_scoped_release released;
        return openclip::get_tokenizer(name, {context_length, cache_dir});
      },
      "name"_a, "context_length"_a, "cache_dir"_a);
  m.def("list_models", &openclip::list_models);
  m.def("list_pretrained", &openclip::list_pretrained);
  m.def("template_set", [](const std::string& name) { return openclip::template_set(name); });
  m.def("version", [] { return std::string(openclip::version()); });
  m.def(
      "data_address",
      [](const Floats& array) { return reinterpret_cast<std::uintptr_t>(array.data()); }, "array"_a,
      "Where the numbers of an array lie as the engine gets it; for tests.");
}
