#include "serve/http/error_reply.h"

#include <new>

#include "io/json.h"

namespace openclip {
namespace {

std::string_view error_type(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 404:
      return "not_found_error";
    case 408:
    case 503:
    case 429:
      return "overloaded_error";
    default:
      return status < 500 ? "invalid_request_error" : "server_error";
  }
}

// Texts may quote what the client sent, which need not be UTF-8.
std::string dump(const OrderedJson& json) {
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace

Reply error_reply(int status, std::string_view message, std::string_view param, int retry_after) {
  const OrderedJson json = {{"error",
                             {{"message", message},
                              {"type", error_type(status)},
                              {"param", param.empty() ? OrderedJson(nullptr) : OrderedJson(param)},
                              {"code", status}}}};
  Reply reply{.status = status, .body = dump(json)};
  if (retry_after > 0) reply.headers.emplace_back("Retry-After", std::to_string(retry_after));
  if (status == 401) reply.headers.emplace_back("WWW-Authenticate", "Bearer");
  return reply;
}

Reply error_reply(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const CallError& e) {
    return error_reply(e.status(), e.what(), e.param(), e.retry_after());
  } catch (const ParseError& e) {
    return error_reply(400, e.what());
  } catch (const InvalidArgument& e) {
    return error_reply(400, e.what());
  } catch (const NotFound& e) {
    return error_reply(404, e.what());
  } catch (const Unsupported& e) {
    return error_reply(501, e.what());
  } catch (const std::bad_alloc&) {
    return error_reply(503, "out of memory", "", 1);
  } catch (const std::exception&) {
    return error_reply(500, "internal error");
  }
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 411:
      return "Length Required";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 499:
      return "Client Closed Request";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    default:
      return "Unknown";
  }
}

}  // namespace openclip
