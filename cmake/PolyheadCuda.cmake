# POLYHEAD_WITH_CUDA and POLYHEAD_WITH_NCCL from POLYHEAD_CUDA (AUTO, ON or OFF): whether the CUDA and NCCL back ends
# are built; POLYHEAD_WHY_NO_CUDA says why not. Comes after LibTorch.
#
#   polyhead_cuda_headers  CUDA's headers, where any fit this LibTorch, also with POLYHEAD_CUDA=OFF: tests need no more
#   polyhead_cudart        the CUDA runtime with them
#
# CUDA is compiled as plain C++ against the runtime: no nvcc language is enabled, so the same project configures without one.
# The headers are those beside LibTorch. A CUDA Toolkit is looked for only where LibTorch brings none (built from source).
set(POLYHEAD_WITH_CUDA OFF)
set(POLYHEAD_WITH_NCCL OFF)
set(POLYHEAD_WHY_NO_CUDA "")
set(_include_dirs "${LibTorch_CUDA_INCLUDE_DIR}")
if(NOT LibTorch_CUDA_MAJOR)
  set(POLYHEAD_WHY_NO_CUDA "this LibTorch was built without CUDA")
elseif(NOT _include_dirs)
  find_package(CUDAToolkit QUIET)
  if(NOT CUDAToolkit_FOUND)
    string(CONCAT POLYHEAD_WHY_NO_CUDA "LibTorch was linked with CUDA ${LibTorch_CUDA_MAJOR}, but its headers are neither beside it nor "
           "in a CUDA Toolkit: run launch/setup.sh for a LibTorch that brings them, or install the CUDA Toolkit ${LibTorch_CUDA_MAJOR}")
  elseif(NOT CUDAToolkit_VERSION_MAJOR EQUAL LibTorch_CUDA_MAJOR)
    string(CONCAT POLYHEAD_WHY_NO_CUDA "LibTorch was linked with CUDA ${LibTorch_CUDA_MAJOR}, but the CUDA Toolkit at "
           "${CUDAToolkit_INCLUDE_DIRS} is ${CUDAToolkit_VERSION}: set CUDAToolkit_ROOT to a CUDA Toolkit ${LibTorch_CUDA_MAJOR}")
  else()
    set(_include_dirs ${CUDAToolkit_INCLUDE_DIRS})
  endif()
endif()

if(POLYHEAD_CUDA STREQUAL "ON" AND POLYHEAD_WHY_NO_CUDA)
  message(FATAL_ERROR "POLYHEAD_CUDA=ON, but ${POLYHEAD_WHY_NO_CUDA}")
endif()

if(NOT POLYHEAD_WHY_NO_CUDA)
  add_library(polyhead_cuda_headers INTERFACE)
  target_include_directories(polyhead_cuda_headers SYSTEM INTERFACE ${_include_dirs})
  add_library(polyhead_cudart INTERFACE)
  if(TARGET LibTorch::cudart)
    target_link_libraries(polyhead_cudart INTERFACE polyhead_cuda_headers LibTorch::cudart)
  else()
    target_link_libraries(polyhead_cudart INTERFACE polyhead_cuda_headers CUDA::cudart)
  endif()
  if(POLYHEAD_CUDA STREQUAL "OFF")
    set(POLYHEAD_WHY_NO_CUDA "POLYHEAD_CUDA=OFF")
  else()
    set(POLYHEAD_WITH_CUDA ON)
    if(TARGET LibTorch::nccl)
      set(POLYHEAD_WITH_NCCL ON)
    endif()
  endif()
endif()
