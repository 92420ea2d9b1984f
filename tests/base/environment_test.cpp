#include "polyhead/base/environment.hpp"

#include <cstdlib>

#include <gmock/gmock.h>

namespace polyhead {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;
using ::testing::StartsWith;

/// A variable for the length of a test.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  ~Variable() { ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

TEST(SettleEnvironment, TakesAwayWhatAsksForLessThanFp32) {
  const Variable tf32("NVIDIA_TF32_OVERRIDE", "1");
  const Variable cublas("TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", "1");
  const Variable math("ONEDNN_DEFAULT_FPMATH_MODE", "BF16");
  const Variable old_math("DNNL_DEFAULT_FPMATH_MODE", "ANY");
  const Variable emulation("CUBLAS_EMULATE_SINGLE_PRECISION", "1");
  const Variable workspace("CUBLAS_WORKSPACE_CONFIG", ":16:8");
  settle_environment();
  EXPECT_STREQ(std::getenv("NVIDIA_TF32_OVERRIDE"), "0");
  EXPECT_STREQ(std::getenv("TORCH_ALLOW_TF32_CUBLAS_OVERRIDE"), "0");
  EXPECT_STREQ(std::getenv("ONEDNN_DEFAULT_FPMATH_MODE"), "STRICT");
  EXPECT_STREQ(std::getenv("DNNL_DEFAULT_FPMATH_MODE"), "STRICT");
  EXPECT_STREQ(std::getenv("CUBLAS_EMULATE_SINGLE_PRECISION"), "0");
  EXPECT_STREQ(std::getenv("CUBLAS_WORKSPACE_CONFIG"), ":4096:8");
  for (const Computer computer : {Computer::torch_cpu, Computer::torch_gpu}) {  // so they tell nothing
    EXPECT_THAT(variables_of(computer), Not(Contains(StartsWith("CUBLAS"))));
    EXPECT_THAT(variables_of(computer), Not(Contains(StartsWith("ONEDNN_DEFAULT"))));
  }
}

TEST(VariablesOf, AreThoseThatTheComputerLooksAt) {
  const Variable isa("ONEDNN_MAX_CPU_ISA", "AVX2");
  const Variable mkl("MKL_CBWR", "AVX2,\x01STRICT");
  const Variable mode("TORCH_CUDNN_USE_HEURISTIC_MODE_B", "1");
  const Variable share("CUDA_MPS_ACTIVE_THREAD_PERCENTAGE", "50");
  const Variable logging("CUDNN_LOGLEVEL_DBG", "3");
  const Variable version("CUDNN_VERSION", "9.2");
  const Variable folder("CUDNN_INCLUDE_DIR", "/usr/include");
  EXPECT_THAT(variables_of(Computer::torch_cpu),
              ElementsAre("MKL_CBWR=AVX2,?STRICT", "ONEDNN_MAX_CPU_ISA=AVX2"));
  EXPECT_THAT(variables_of(Computer::torch_gpu),
              ElementsAre("CUDA_MPS_ACTIVE_THREAD_PERCENTAGE=50", "TORCH_CUDNN_USE_HEURISTIC_MODE_B=1"));
}

TEST(VariablesOf, OfTunablesKnowsThoseOfTheProcessor) {
  const Variable tunables("GLIBC_TUNABLES", "glibc.malloc.check=1:glibc.cpu.hwcaps=-FMA:glibc.rtld.nns=3");
  EXPECT_THAT(variables_of(Computer::libm), ElementsAre("GLIBC_TUNABLES=glibc.cpu.hwcaps=-FMA"));
  const Variable others("GLIBC_TUNABLES", "glibc.malloc.check=1");
  EXPECT_THAT(variables_of(Computer::libm), ElementsAre());
}

}  // namespace
}  // namespace polyhead
