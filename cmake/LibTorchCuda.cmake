# LibTorchCuda: the CUDA runtime and NCCL that a LibTorch was linked with, and their headers. pip lays them beside it, so
# that no CUDA Toolkit is needed, and none of another version gets in the way. Included by FindLibTorch.
#
#   LibTorch_CUDA_MAJOR       N of the libcudart.so.N that LibTorch was linked with; empty when it was built without CUDA
#   LibTorch_CUDA_INCLUDE_DIR CUDA's headers beside LibTorch, of the same N; empty where it brings none
#   LibTorch::cudart          the runtime beside LibTorch; only where there is one.
#                             libtorch_cuda itself (0.5 GB, 3 s to load) is opened at run time, when a GPU is there.
#   LibTorch::nccl            NCCL's headers, and its folder on the run path: the library that LibTorch itself uses is opened
#                             at run time, when ranks with GPUs need it. Only where this LibTorch brings NCCL.
set(LibTorch_CUDA_MAJOR "")
set(LibTorch_CUDA_INCLUDE_DIR "")
get_filename_component(_wheels ${LibTorch_ROOT}/../nvidia ABSOLUTE)

# polyhead_cudart_major(VARIABLE FOLDER): the major version of the runtime that the folder's headers are of, or nothing.
function(polyhead_cudart_major variable folder)
  set(${variable} "" PARENT_SCOPE)
  if(EXISTS ${folder}/cuda_runtime_api.h)
    file(STRINGS ${folder}/cuda_runtime_api.h line REGEX "define +CUDART_VERSION +[0-9]+" LIMIT_COUNT 1)
    if(line MATCHES "CUDART_VERSION +([0-9]+)")
      math(EXPR major "${CMAKE_MATCH_1} / 1000")
      set(${variable} ${major} PARENT_SCOPE)
    endif()
  endif()
endfunction()

set(_cudart "")
if(EXISTS ${LibTorch_ROOT}/lib/libtorch_cuda.so)
  # Wheels of several CUDA versions may lie side by side: nvidia/cu13 and, since before 13, nvidia/cuda_runtime.
  file(GLOB _cudart ${_wheels}/cu[0-9]*/lib/libcudart.so.* ${_wheels}/cuda_runtime/lib/libcudart.so.* ${LibTorch_ROOT}/lib/libcudart*.so*)
  set(_needed "")
  if(EXISTS ${LibTorch_ROOT}/lib/libc10_cuda.so)  # small, and linked with the same runtime as libtorch_cuda
    file(STRINGS ${LibTorch_ROOT}/lib/libc10_cuda.so _needed REGEX "^libcudart[-0-9a-f]*\\.so\\.[.0-9]+$" LIMIT_COUNT 1)
  endif()
  if(_needed)
    list(FILTER _cudart INCLUDE REGEX "/${_needed}$")
  endif()
  if(_cudart)
    list(GET _cudart 0 _cudart)
    get_filename_component(_needed ${_cudart} NAME)
  endif()
  if(_needed MATCHES "\\.so\\.([0-9]+)")
    set(LibTorch_CUDA_MAJOR ${CMAKE_MATCH_1})
  endif()
endif()

if(_cudart)
  add_library(LibTorch::cudart SHARED IMPORTED)
  set_target_properties(LibTorch::cudart PROPERTIES IMPORTED_LOCATION ${_cudart})
endif()

if(LibTorch_CUDA_MAJOR)
  file(GLOB _folders ${_wheels}/cu[0-9]*/include ${_wheels}/cuda_runtime/include)
  foreach(folder IN LISTS _folders)
    polyhead_cudart_major(_major ${folder})
    if(NOT LibTorch_CUDA_INCLUDE_DIR AND _major STREQUAL LibTorch_CUDA_MAJOR)
      set(LibTorch_CUDA_INCLUDE_DIR ${folder})
    endif()
  endforeach()
endif()

# nccl.h includes cuda_fp16.h, and that nv/target, which is a wheel of its own (nvidia-cuda-cccl).
set(_complete ON)
if(EXISTS ${LibTorch_CUDA_INCLUDE_DIR}/cuda_fp16.h AND NOT EXISTS ${LibTorch_CUDA_INCLUDE_DIR}/nv/target)
  file(STRINGS ${LibTorch_CUDA_INCLUDE_DIR}/cuda_fp16.h _lines REGEX "include +<nv/target>" LIMIT_COUNT 1)
  if(_lines)
    set(_complete OFF)
  endif()
endif()
if(_complete AND EXISTS ${_wheels}/nccl/include/nccl.h AND EXISTS ${_wheels}/nccl/lib/libnccl.so.2)
  add_library(LibTorch::nccl INTERFACE IMPORTED)
  target_include_directories(LibTorch::nccl SYSTEM INTERFACE ${_wheels}/nccl/include)
  target_link_options(LibTorch::nccl INTERFACE LINKER:-rpath,${_wheels}/nccl/lib)
endif()
