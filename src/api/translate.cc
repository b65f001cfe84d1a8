// The engine's exceptions as those of the public API. Rank 6.
#include "api/translate.h"

#include "base/error.h"
#include "io/http/errors.h"
#include "openclip/error.h"

namespace openclip::v0 {

void rethrow_translated() {
  try {
    throw;
  } catch (const openclip::InvalidArgument& error) {
    throw InvalidArgument(error.what());
  } catch (const openclip::NotFound& error) {
    throw NotFound(error.what());
  } catch (const openclip::Unsupported& error) {
    throw Unsupported(error.what());
  } catch (const openclip::IoError& error) {
    throw IoError(error.what());
  } catch (const openclip::ParseError& error) {
    throw ParseError(error.what());
  } catch (const openclip::NetworkError& error) {
    throw NetworkError(error.what());
  } catch (const openclip::Cancelled& error) {
    throw Cancelled(error.what());
  } catch (const openclip::Error& error) {
    throw InternalError(error.what());
  }
}

}  // namespace openclip::v0
