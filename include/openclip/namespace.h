// The namespace of the C++ API.
#pragma once

#include "openclip/export.h"

namespace openclip {

/// Version of the C++ interface, part of every symbol, so that libraries of two versions can be
/// loaded at once. Write openclip::Model; nobody needs to name it.
namespace v0 {}

// In the library's own sources openclip:: is the engine, whose types bear some of the same names.
#ifndef OPENCLIP_BUILDING_LIBRARY
using namespace v0;
#endif

}  // namespace openclip
