/// A program of its own: LibTorch's headers and those of the other tests bring different versions of fmt.

#include <string>

#include <ATen/Context.h>
#include <gtest/gtest.h>

#include "../../src/model/torch_guard.hpp"
#include "../../src/model/torch_settings.hpp"

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
