# POLYHEAD_WITH_CUDA and POLYHEAD_WITH_NCCL from POLYHEAD_CUDA (AUTO, ON or OFF): whether the CUDA and NCCL back ends
# are built. Comes after LibTorch.
# CUDA is compiled as plain C++ against the runtime: no nvcc language is enabled, so the same project configures without one.
set(POLYHEAD_WITH_CUDA OFF)
set(POLYHEAD_WITH_NCCL OFF)
if(NOT POLYHEAD_CUDA STREQUAL "OFF")
  find_package(CUDAToolkit QUIET)
  if(CUDAToolkit_FOUND AND TARGET LibTorch::cudart)
    set(POLYHEAD_WITH_CUDA ON)
    if(TARGET LibTorch::nccl)
      set(POLYHEAD_WITH_NCCL ON)
    endif()
  elseif(POLYHEAD_CUDA STREQUAL "ON")
    message(FATAL_ERROR "POLYHEAD_CUDA=ON, but the CUDA toolkit or a LibTorch with CUDA was not found")
  endif()
endif()
