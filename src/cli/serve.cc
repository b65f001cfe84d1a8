// openclip serve: the model over HTTP.
#include <sys/resource.h>

#include "base/environment.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/output.h"
#include "index/place.h"
#include "serve/service.h"

namespace openclip {
namespace {

constexpr const char* kServeFooter =
    "\nEndpoints: GET /openapi.json describes them; docs/serve.md has examples. Ctrl-C or SIGTERM\n"
    "answers what is in work and ends.\n"
    "\nExamples:\n"
    "  openclip serve --index pictures.index\n"
    "  openclip serve --host 0.0.0.0 --port 3003 --api-key SECRET       (also $OPENCLIP_API_KEY)\n"
    "  openclip serve --model ViT-B-32 --pretrained openai --max-batch 16";

struct ServeOptions {
  CommonOptions common;
  std::string host = "127.0.0.1";
  int port = 8080;
  bool verbose = false;
  std::vector<std::string> indices;
  std::vector<std::string> api_keys, cors_origins, allowed_hosts, names, url_hosts;
  bool allow_urls = false;
  size_t max_batch = 32;
  double batch_wait_ms = 2;
  int workers = 64;
  size_t max_requests = 512;
  size_t max_body_mb = 20;
  double max_megapixels = 100;
  size_t max_connections = 1000;
  double queue_seconds = 10, request_seconds = 60, drain_seconds = 30;
  double header_seconds = 10, body_seconds = 30, idle_seconds = 60;
};

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000));
}

// "ViT-B-32/openai", "ViT-B-32" and what the operator names besides.
std::vector<std::string> model_names(const ServeOptions& options, const ModelSource& source) {
  std::vector<std::string> names = options.names;
  const std::string& tag = options.common.model.pretrained;
  if (!tag.empty() && tag.find('/') == std::string::npos)
    names.push_back(source.config.name + "/" + tag);
  names.push_back(source.config.name);
  return names;
}

std::vector<NamedIndex> open_indices(const ServeOptions& options, const ModelSource& source) {
  std::vector<NamedIndex> indices;
  for (const std::string& path : options.indices) {
    const std::shared_ptr<Index> index = open_index(path);
    usage([&] { check_same_space(place_name(path), index->space(), space_of(source)); });
    for (const NamedIndex& other : indices)
      if (other.name == place_title(path))
        throw UsageError(fmt::format("two indices are called '{}'", other.name));
    indices.push_back({place_title(path), index});
  }
  return indices;
}

ServiceSettings settings_of(const ServeOptions& options, const ModelSource& source) {
  ServiceSettings settings;
  settings.context = options.common.context();
  ServerSettings& server = settings.server;
  server.host = options.host;
  server.port = static_cast<uint16_t>(options.port);
  server.limits.max_body_bytes = options.max_body_mb << 20;
  server.limits.max_connections = options.max_connections;
  server.limits.header_timeout = milliseconds(options.header_seconds);
  server.limits.body_timeout = milliseconds(options.body_seconds);
  server.limits.idle_timeout = milliseconds(options.idle_seconds);
  server.limits.drain_timeout = milliseconds(options.drain_seconds);
  server.queue.workers = options.workers;
  server.queue.max_requests = options.max_requests;
  server.queue.queue_timeout = milliseconds(options.queue_seconds);
  server.queue.request_timeout = milliseconds(options.request_seconds);
  server.api_keys = options.api_keys;
  if (const std::string key = environment("OPENCLIP_API_KEY"); !key.empty())
    server.api_keys.push_back(key);
  server.cors_origins = options.cors_origins;
  server.host_names = options.allowed_hosts;
  if (options.verbose)
    server.on_access = [](const AccessRecord& r) {
      tell(fmt::format("{} \"{} {}\" {} {} B {:.1f} ms", r.client, r.method, r.path, r.status,
                       r.bytes, 1000 * r.seconds));
    };
  settings.requests.max_image_pixels = static_cast<int64_t>(options.max_megapixels * 1e6);
  settings.requests.max_request_pixels = 2 * settings.requests.max_image_pixels;
  settings.batching.max_batch[static_cast<size_t>(BatchKind::image)] = options.max_batch;
  settings.batching.patience =
      std::chrono::microseconds(static_cast<int64_t>(options.batch_wait_ms * 1000));
  settings.urls.allowed = options.allow_urls || !options.url_hosts.empty();
  settings.urls.hosts = options.url_hosts;
  settings.indices = open_indices(options, source);
  settings.model_names = model_names(options, source);
  return settings;
}

// Each connection is a file; the usual soft limit of 1024 is near max_connections.
void allow_many_files() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 65536);
  setrlimit(RLIMIT_NOFILE, &limit);
}

int serve(const ServeOptions& options) {
  const ModelSource source = find_model(options.common, Need::weights);
  allow_many_files();
  Service service(settings_of(options, source));
  const bool quiet = options.common.quiet;
  service.run(source, [&] {
    if (!quiet)
      tell(fmt::format("{} serves {}; Ctrl-C ends it", service.address(), source.config.name));
  });
  if (!quiet) tell("all requests are answered; the server has ended");
  return 0;
}

void add_limits(Command& command, ServeOptions& options) {
  command.add_option("--max-batch", options.max_batch, "pictures computed together at most")
      ->capture_default_str()
      ->in_range(1, 4096);
  command
      .add_option("--batch-wait", options.batch_wait_ms,
                  "milliseconds to wait for pictures that are being decoded")
      ->capture_default_str()
      ->in_range(0.0, 1000.0);
  command.add_option("--workers", options.workers, "requests worked on at once")
      ->capture_default_str()
      ->in_range(1, 1024);
  command.add_option("--max-requests", options.max_requests, "waiting and in work; more get 429")
      ->capture_default_str()
      ->in_range(1, 100'000);
  command.add_option("--max-body", options.max_body_mb, "MiB of a request")
      ->capture_default_str()
      ->in_range(1, 1024);
  command.add_option("--max-megapixels", options.max_megapixels, "of a picture, decoded")
      ->capture_default_str()
      ->in_range(0.01, 178.0);
  command.add_option("--max-connections", options.max_connections, "open at once")
      ->capture_default_str()
      ->in_range(1, 60'000);
  const auto seconds = [&](const char* name, double& value, const char* help) {
    command.add_option(name, value, help)->capture_default_str()->in_range(0.001, 3600.0);
  };
  seconds("--queue-timeout", options.queue_seconds, "seconds to wait for a turn; then 503");
  seconds("--request-timeout", options.request_seconds, "seconds from arrival to answer; then 503");
  seconds("--header-timeout", options.header_seconds, "seconds for a header to arrive");
  seconds("--body-timeout", options.body_seconds, "seconds for a body to arrive");
  seconds("--idle-timeout", options.idle_seconds, "seconds between requests of a connection");
  seconds("--drain-timeout", options.drain_seconds, "seconds for what is in work at the end");
}

}  // namespace

void add_serve(Command& app, ChosenCommand& chosen) {
  Command* command = app.add_subcommand("serve", "HTTP API for vectors, labels and search");
  const auto options = std::make_shared<ServeOptions>();
  add_common_options(*command, options->common);
  add_image_size(*command, options->common);
  add_context_length(*command, options->common);
  command
      ->add_option("--index", options->indices,
                   "search in this folder or database of 'openclip index'; may repeat")
      ->take_all()
      ->expected(1)
      ->type_name("INDEX");
  command->add_option("--host", options->host, "address to listen on; 0.0.0.0 = all")
      ->capture_default_str();
  command->add_option("--port", options->port, "0 = any free one")
      ->capture_default_str()
      ->in_range(0, 65535);
  command->add_option("--api-key", options->api_keys, "a key that clients must send; may repeat")
      ->take_all()
      ->expected(1)
      ->type_name("KEY");
  command
      ->add_option("--cors-origin", options->cors_origins,
                   "web pages of this origin may read answers, * = all; may repeat")
      ->take_all()
      ->expected(1)
      ->type_name("ORIGIN");
  command
      ->add_option("--allow-host", options->allowed_hosts,
                   "name that this machine is called by; may repeat")
      ->take_all()
      ->expected(1)
      ->type_name("NAME");
  command
      ->add_option("--served-model-name", options->names,
                   "name that clients use for the model; may repeat")
      ->take_all()
      ->expected(1)
      ->type_name("NAME");
  command->add_flag("--allow-urls", options->allow_urls,
                    "fetch pictures that clients name by URL, from public addresses only");
  command
      ->add_option("--allow-url-host", options->url_hosts,
                   "fetch from this host only (*.example.org too); may repeat")
      ->take_all()
      ->expected(1)
      ->type_name("HOST");
  command->add_flag("--verbose", options->verbose, "a line on stderr for each request");
  add_limits(*command, *options);
  command->footer(kServeFooter);
  command->callback([&chosen, options] { chosen = [options] { return serve(*options); }; });
}

}  // namespace openclip
