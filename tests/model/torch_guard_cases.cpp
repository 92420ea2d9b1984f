/// A program of its own: LibTorch's headers and those of the other tests bring different versions of fmt.

#include <string>
#include <tuple>

#include <ATen/Context.h>
#include <gtest/gtest.h>

#include "model/torch/torch_guard.hpp"
#include "model/torch/torch_settings.hpp"

namespace polyhead::model {
namespace {

/// A GPU whose memory suffices from try number `enough` on.
struct Gpu {
  int enough = 1;
  int tries = 0;
  int released = 0;

  void compute() {
    guarded("the backbone", [&] {
      with_second_try(
          [&] {
            if (++tries < enough)
              throw c10::OutOfMemoryError({__func__, __FILE__, __LINE__}, "tried to allocate 2.00 GiB");
          },
          [&] { ++released; });
    });
  }
};

TEST(TorchGuard, ComputesOnceWhereMemorySuffices) {
  Gpu gpu{1};
  gpu.compute();
  EXPECT_EQ(gpu.tries, 1);
  EXPECT_EQ(gpu.released, 0);
}

TEST(TorchGuard, TriesAgainWithWhatWasKeptGivenBack) {
  Gpu gpu{2};
  gpu.compute();
  EXPECT_EQ(gpu.tries, 2);
  EXPECT_EQ(gpu.released, 1);
}

TEST(TorchGuard, ASecondFailureSaysWhatToDo) {
  Gpu gpu{3};
  try {
    gpu.compute();
    FAIL();
  } catch (const Error& error) {
    const std::string text = error.what();
    EXPECT_EQ(error.code(), ExitCode::unavailable);
    EXPECT_NE(text.find("the backbone: the GPU is out of memory; choose a smaller parallel.batch"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("tried to allocate 2.00 GiB"), std::string::npos) << text;
  }
  EXPECT_EQ(gpu.tries, 2);
}

TEST(TorchGuard, OtherErrorsAreNotTriedAgain) {
  int tries = 0;
  const auto work = [&] {
    ++tries;
    throw c10::Error({__func__, __FILE__, __LINE__}, "shapes differ");
  };
  EXPECT_THROW(guarded("the heads", [&] { with_second_try(work, [] { FAIL(); }); }), Error);
  EXPECT_EQ(tries, 1);
}

using Source = c10::SourceLocation;

/// What the user is told when `error` comes again in the second try, and how many tries there were.
template <class Thrown>
std::tuple<ExitCode, std::string, int> told_of(const Thrown& error) {
  int tries = 0;
  const auto work = [&] {
    ++tries;
    throw error;
  };
  try {
    guarded("the backbone", [&] { with_second_try(work, [] {}); });
  } catch (const Error& told) {
    return {told.code(), told.what(), tries};
  }
  return {};
}

/// Texts of LibTorch 2.15.
TEST(TorchGuard, MemoryThatLibrariesMissIsMemory) {
  for (const char* text : {"CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
                           "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
                           "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
                           "GET was unable to find an engine to execute this computation",
                           "FIND was unable to find an engine to execute this computation"}) {
    const auto [code, told, tries] = told_of(c10::Error(Source{__func__, __FILE__, __LINE__}, text));
    EXPECT_EQ(code, ExitCode::unavailable) << text;
    EXPECT_NE(told.find("choose a smaller parallel.batch"), std::string::npos) << told;
    EXPECT_NE(told.find(text), std::string::npos) << told;
    EXPECT_EQ(tries, 2) << text;
  }
  const auto [code, told, tries] =
      told_of(c10::AcceleratorError(Source{__func__, __FILE__, __LINE__}, 2, "CUDA error: out of memory"));
  EXPECT_EQ(code, ExitCode::unavailable);
  EXPECT_EQ(tries, 2) << told;
}

TEST(TorchGuard, AGpuThatFailedIsUnavailable) {
  for (const char* text :
       {"CUDA error: uncorrectable ECC error encountered", "CUDA error: unspecified launch failure",
        "CUDA error: CUDA-capable device(s) is/are busy or unavailable"}) {
    const auto [code, told, tries] =
        told_of(c10::AcceleratorError(Source{__func__, __FILE__, __LINE__}, 214, text));
    EXPECT_EQ(code, ExitCode::unavailable) << text;
    EXPECT_NE(told.find("the backbone: the GPU failed"), std::string::npos) << told;
    EXPECT_NE(told.find(text), std::string::npos) << told;
    EXPECT_EQ(tries, 1) << text;
  }
}

/// cuBLAS and cuDNN have no type for it: the next call after an Xid says this.
TEST(TorchGuard, AGpuThatFailedInsideALibraryIsUnavailable) {
  for (const char* text :
       {"CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasLtMatmul(...)`",
        "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED", "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR"}) {
    const auto [code, told, tries] = told_of(c10::Error(Source{__func__, __FILE__, __LINE__}, text));
    EXPECT_EQ(code, ExitCode::unavailable) << text;
    EXPECT_NE(told.find("the GPU failed"), std::string::npos) << told;
    EXPECT_EQ(tries, 1) << text;
  }
  const auto [code, told, tries] = told_of(c10::Error(
      Source{__func__, __FILE__, __LINE__}, "CUDA error: CUBLAS_STATUS_INVALID_VALUE when calling"));
  EXPECT_EQ(code, ExitCode::internal) << told << tries;
}

TEST(TorchGuard, AGpuWithoutKernelsIsAWrongConfiguration) {
  const auto [code, told, tries] =
      told_of(c10::AcceleratorError(Source{__func__, __FILE__, __LINE__}, 209,
                                    "CUDA error: no kernel image is available for execution on the device"));
  EXPECT_EQ(code, ExitCode::config);
  EXPECT_NE(told.find("this LibTorch has no kernels for the GPU"), std::string::npos) << told;
  EXPECT_EQ(tries, 1);
}

TEST(TorchGuard, AnythingElseIsADefect) {
  const auto [code, told, tries] = told_of(c10::Error(Source{__func__, __FILE__, __LINE__}, "shapes differ"));
  EXPECT_EQ(code, ExitCode::internal);
  EXPECT_EQ(told, "the backbone: shapes differ");
  EXPECT_EQ(tries, 1);
}

/// The variable is set in one of the runs of this test (tests/CMakeLists.txt), as in NVIDIA's containers.
TEST(TorchSettings, AreFp32UnderBothTheirNames) {
  apply_torch_settings(1);
  const auto& context = at::globalContext();
  EXPECT_FALSE(context.allowTF32CuBLAS());
  EXPECT_FALSE(context.allowTF32CuDNN());
  for (const auto backend : {at::Float32Backend::CUDA, at::Float32Backend::MKLDNN}) {
    for (const auto op : {at::Float32Op::CONV, at::Float32Op::MATMUL})
      EXPECT_EQ(context.float32Precision(backend, op), at::Float32Precision::IEEE);
  }
}

}  // namespace
}  // namespace polyhead::model
