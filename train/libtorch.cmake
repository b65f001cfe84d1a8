# Finds libtorch (>= 2.4) and defines the target openclip_libtorch. Looked at in this order:
# OPENCLIP_LIBTORCH (a folder with include/ and lib/), Torch_DIR (…/share/cmake/Torch), the folder
# that tools/setup/fetch.sh libtorch fills, and the torch package of python3.
#
# Only torch_cpu and c10 are linked: libtorch_cuda is loaded at run time when --device cuda asks for
# it, so one binary serves both. Torch's own CMake package is not used, since that of the PyPI wheel
# insists on a CUDA toolkit.
set(OPENCLIP_LIBTORCH "" CACHE PATH "libtorch: a folder with include/ and lib/")

set(candidates "${OPENCLIP_LIBTORCH}")
if(Torch_DIR)
  list(APPEND candidates "${Torch_DIR}/../../..")
endif()
if(DEFINED ENV{OPENCLIP_CACHE})
  list(APPEND candidates "$ENV{OPENCLIP_CACHE}/libtorch/torch")
elseif(DEFINED ENV{XDG_CACHE_HOME})
  list(APPEND candidates "$ENV{XDG_CACHE_HOME}/openclip/libtorch/torch")
else()
  list(APPEND candidates "$ENV{HOME}/.cache/openclip/libtorch/torch")
endif()
execute_process(COMMAND python3 -c "import torch, os; print(os.path.dirname(torch.__file__))"
                OUTPUT_VARIABLE torch_package OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
list(APPEND candidates "${torch_package}")

set(libtorch "")
foreach(folder ${candidates})
  if(NOT libtorch AND EXISTS "${folder}/include/ATen/ATen.h" AND
     EXISTS "${folder}/lib/libtorch_cpu.so")
    get_filename_component(libtorch "${folder}" REALPATH)
  endif()
endforeach()
if(NOT libtorch)
  message(FATAL_ERROR "openclip-train needs libtorch >= 2.4: run tools/setup/fetch.sh libtorch, or "
                      "give -DOPENCLIP_LIBTORCH=FOLDER (with include/ and lib/), or configure "
                      "without OPENCLIP_BUILD_TRAIN")
endif()
message(STATUS "libtorch: ${libtorch}")

# Wheels with CUDA need the CUDA runtime's libraries to load, even where there is no GPU.
file(GLOB cuda_folders "${libtorch}/../nvidia/cuda_runtime/lib" "${libtorch}/../nvidia/cuda_cupti/lib")

# The wheel's C++ ABI: symbols carry [abi:cxx11] when std::string is the new one.
file(STRINGS "${libtorch}/lib/libc10.so" new_abi REGEX "detail14torchCheckFail.*cxx11"
     LIMIT_COUNT 1)
set(abi 0)
if(new_abi)
  set(abi 1)
endif()
if(NOT abi)
  message(FATAL_ERROR "${libtorch} is built with the old C++ ABI of GCC 4; use torch >= 2.6")
endif()

add_library(openclip_libtorch INTERFACE)
# After the system's folders: the wheel brings its own copies of fmt and oneDNN headers, which would
# hide the ones our libraries are linked with.
target_compile_options(openclip_libtorch INTERFACE
  "SHELL:-idirafter ${libtorch}/include"
  "SHELL:-idirafter ${libtorch}/include/torch/csrc/api/include")
target_link_libraries(openclip_libtorch INTERFACE "${libtorch}/lib/libtorch_cpu.so"
                                                  "${libtorch}/lib/libc10.so")
set(rpath "${libtorch}/lib")
foreach(folder ${cuda_folders})
  get_filename_component(folder "${folder}" REALPATH)
  target_link_options(openclip_libtorch INTERFACE "-Wl,-rpath-link,${folder}")
  list(APPEND rpath "${folder}")
endforeach()
set(OPENCLIP_LIBTORCH_RPATH "${rpath}")

# NCCL, where libtorch has CUDA and its headers are here: a library that --device cuda loads when a
# job has several processes. Looked for in CUDA's folder and among the wheels beside torch.
find_library(OPENCLIP_TORCH_CUDA torch_cuda PATHS "${libtorch}/lib" NO_DEFAULT_PATH)
find_library(OPENCLIP_C10_CUDA c10_cuda PATHS "${libtorch}/lib" NO_DEFAULT_PATH)
file(GLOB cuda_includes "${libtorch}/../nvidia/*/include" /usr/local/cuda/include)
find_path(OPENCLIP_NCCL_INCLUDE nccl.h PATHS ${cuda_includes})
find_path(OPENCLIP_CUDA_INCLUDE cuda_runtime_api.h PATHS ${cuda_includes})
