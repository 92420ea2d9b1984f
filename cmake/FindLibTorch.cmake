# FindLibTorch: LibTorch from CMAKE_PREFIX_PATH, the project's .venv, or python3's torch, in that order.
#
#   LibTorch::cpu    libtorch_cpu and libc10 with their headers: all that a CPU run loads
#   What cmake/LibTorchCuda.cmake adds where it was built with CUDA.
#   LibTorch_ROOT, LibTorch_VERSION
#
# PyTorch's own TorchConfig.cmake is not used: for a CUDA build it needs nvcc, and fails without a toolkit.
set(_candidates)
foreach(prefix IN LISTS CMAKE_PREFIX_PATH)
  # The folder itself, one that holds it, a venv, and what torch.utils.cmake_prefix_path says: torch/share/cmake.
  get_filename_component(_above ${prefix}/../.. ABSOLUTE)
  file(GLOB _found LIST_DIRECTORIES true ${prefix} ${prefix}/torch ${prefix}/lib/python3*/site-packages/torch)
  list(APPEND _candidates ${_found} ${_above})
endforeach()
file(GLOB _found LIST_DIRECTORIES true ${PROJECT_SOURCE_DIR}/.venv/lib/python3*/site-packages/torch)
list(APPEND _candidates ${_found})
foreach(dir IN LISTS _candidates)
  if(NOT LibTorch_ROOT AND EXISTS ${dir}/lib/libtorch_cpu.so AND EXISTS ${dir}/include/ATen/ATen.h)
    set(LibTorch_ROOT ${dir} CACHE PATH "LibTorch's folder")
  endif()
endforeach()
if(NOT LibTorch_ROOT)
  execute_process(COMMAND python3 -c "import importlib.util as u; print(u.find_spec('torch').submodule_search_locations[0])"
                  OUTPUT_VARIABLE _python OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(_python)
    set(LibTorch_ROOT ${_python} CACHE PATH "LibTorch's folder")
  endif()
endif()

foreach(header headeronly/version.h csrc/api/include/torch/version.h)  # its place before and since 2.10
  set(_header ${LibTorch_ROOT}/include/torch/${header})
  if(NOT LibTorch_VERSION AND EXISTS ${_header})
    file(STRINGS ${_header} _lines REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) [0-9]+")
    string(REGEX REPLACE "[^;0-9]+" "" _numbers "${_lines}")
    list(JOIN _numbers . LibTorch_VERSION)
  endif()
endforeach()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch REQUIRED_VARS LibTorch_ROOT VERSION_VAR LibTorch_VERSION
  REASON_FAILURE_MESSAGE "run launch/setup.sh, or give -DCMAKE_PREFIX_PATH=<folder that holds torch>")

if(LibTorch_FOUND AND NOT TARGET LibTorch::cpu)
  add_library(LibTorch::c10 SHARED IMPORTED)
  set_target_properties(LibTorch::c10 PROPERTIES IMPORTED_LOCATION ${LibTorch_ROOT}/lib/libc10.so)
  add_library(LibTorch::cpu SHARED IMPORTED)
  set_target_properties(LibTorch::cpu PROPERTIES IMPORTED_LOCATION ${LibTorch_ROOT}/lib/libtorch_cpu.so)
  target_include_directories(LibTorch::cpu SYSTEM INTERFACE ${LibTorch_ROOT}/include
                                                            ${LibTorch_ROOT}/include/torch/csrc/api/include)
  target_link_libraries(LibTorch::cpu INTERFACE LibTorch::c10)
  # libtorch_cpu of a CUDA build wants libcudart and libcupti; it finds them by its own rpath when it is loaded.
  target_link_options(LibTorch::cpu INTERFACE LINKER:--allow-shlib-undefined)

  include(${CMAKE_CURRENT_LIST_DIR}/LibTorchCuda.cmake)
endif()
mark_as_advanced(LibTorch_ROOT)
