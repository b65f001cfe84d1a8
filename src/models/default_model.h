// Where the model that ships with the program lies. Rank 4.
#pragma once

#include <string>

namespace openclip {

/// Folder of the running program, links resolved; "." where the system does not tell.
std::string program_folder();

/// Folder of the shipped default model: OPENCLIP_DEFAULT_MODEL, else ../models/default beside the
/// program's folder (build tree), else ../share/openclip/models/default (installed).
/// Throws: NotFound naming the places that were tried.
std::string default_model_folder();

}  // namespace openclip
