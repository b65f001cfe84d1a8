// Libraries that are loaded when they are first needed, because linking them would slow every start
// of the program. Rank 0.
#pragma once

#include <initializer_list>
#include <string>

namespace openclip {

/// A library that stays loaded for the life of the process.
class SharedLibrary {
 public:
  /// Loads the first of the names that exists. missing: what to say where none does, with the
  /// package to install. Throws: Unsupported.
  SharedLibrary(std::initializer_list<const char*> names, std::string missing);

  /// Throws: Unsupported if the library is too old to have the function.
  template <class Function>
  void bind(const char* name, Function& function) const {
    function = reinterpret_cast<Function>(symbol(name));
  }

 private:
  void* symbol(const char* name) const;

  void* library_ = nullptr;
  std::string missing_;
};

}  // namespace openclip
