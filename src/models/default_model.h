// Where the model that ships with the program lies. Rank 4.
#pragma once

#include <string>

namespace openclip {

/// Folder of the running program, links resolved; "." where the system does not tell.
std::string program_folder();

/// Folder of the shipped default model: OPENCLIP_DEFAULT_MODEL, else the first that exists of
///   ../models/default and models/default (build tree, Python package),
///   ../share/openclip/models/default and ../../share/… (installed; lib/ARCHITECTURE),
/// beside the file that holds this code - the program or the shared library - and beside the
/// program, and last the place that this build was configured to be installed to.
/// Throws: NotFound naming the places that were tried.
std::string default_model_folder();

}  // namespace openclip
