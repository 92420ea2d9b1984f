# Every third-party package, in one place. What each is for stands in ARCHITECTURE.md.
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(MPI REQUIRED COMPONENTS C)
find_package(HDF5 REQUIRED COMPONENTS C)
find_package(JPEG REQUIRED)
# Of libjpeg-turbo's inner side; Debian's package has it, others may not.
find_path(JPEGINT_INCLUDE_DIR jpegint.h HINTS ${JPEG_INCLUDE_DIRS})
find_package(PNG REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_path(XXHASH_INCLUDE_DIR xxhash.h REQUIRED)
find_package(LibTorch REQUIRED)

add_library(polyhead_hdf5 INTERFACE)
target_include_directories(polyhead_hdf5 SYSTEM INTERFACE ${HDF5_C_INCLUDE_DIRS})
target_link_libraries(polyhead_hdf5 INTERFACE ${HDF5_C_LIBRARIES})

add_library(polyhead_yaml INTERFACE)
target_link_libraries(polyhead_yaml INTERFACE yaml-cpp)

include(PolyheadCuda)
message(STATUS "polyhead: LibTorch ${LibTorch_VERSION} at ${LibTorch_ROOT}; CUDA back end ${POLYHEAD_WITH_CUDA}, NCCL ${POLYHEAD_WITH_NCCL}")
if(NOT JPEGINT_INCLUDE_DIR)
  message(STATUS "polyhead: libjpeg-turbo's jpegint.h is missing, so its slower entropy decoder is used; the results are the same")
endif()
