// Errors of the network. Rank 3.
#pragma once

#include "base/error.h"

namespace openclip {

/// A server cannot be reached, or refused, broke off or contradicted itself.
class NetworkError : public Error {
 public:
  using Error::Error;
};

/// The caller asked to stop (Ctrl-C); what was done so far stays where that is of use.
class Cancelled : public Error {
 public:
  using Error::Error;
};

}  // namespace openclip
