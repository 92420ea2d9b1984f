#include "run/identity/fingerprint_changes.hpp"

#include <gmock/gmock.h>

namespace polyhead::run {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::string kZen3 = "AMD EPYC 7763 64-Core Processor; avx fma avx2";
const std::string kZen4 = "AMD EPYC 9654 96-Core Processor; avx fma avx2 avx512f avx512_vnni avx512_bf16";
const std::string kOldBox = "Intel(R) Xeon(R) CPU E5-2670 0; avx";
const std::string kImages = "libjpeg-turbo 2.1.5 (2009-2023); libpng 1.6.39; resampling 1";

/// As files of the former form hold it.
json former(const std::string& cpu, const std::string& engine) {
  return {{"cpu", cpu}, {"engine", engine}, {"images", kImages}, {"libc", "2.36"}, {"polyhead", "0.1.0"}};
}
const std::string kOwnOnZen3 = "LibTorch 2.15.0; backbone winograd avx2; heads avx2; kernels AVX2";
const std::string kOwnOnZen4 = "LibTorch 2.15.0; backbone winograd avx512; heads avx512; kernels AVX512";
const std::string kTorchOnZen3 = "LibTorch 2.15.0; kernels AVX2";
const std::string kTorchOnZen4 = "LibTorch 2.15.0; kernels AVX512";

/// As files hold it today.
json today(const std::string& backbone, const std::string& heads, const std::string& fusion = "exact",
           const std::string& images = "resampling 1") {
  return {{"backbone", backbone},
          {"heads", heads},
          {"fusion", fusion},
          {"images", images},
          {"polyhead", "0.1.0"}};
}

std::vector<std::string> changed(const json& held, const json& now, const json& here) {
  std::vector<std::string> keys;
  for (const Change& change : fingerprint_changes(held, {now.dump(), here.dump()}))
    keys.push_back(change.key);
  return keys;
}

TEST(FingerprintChanges, OfTodaysFormAreThoseOfTheEntries) {
  const json own = today("winograd", "polyhead");
  EXPECT_THAT(changed(own, own, {}), IsEmpty());
  EXPECT_THAT(changed(own, today("LibTorch", "polyhead"), {}), ElementsAre("backbone"));
}

TEST(FingerprintChanges, TheOwnEngineGoesOnOnAnyProcessor) {
  const json own = today("winograd", "polyhead");
  EXPECT_THAT(changed(former(kZen3, kOwnOnZen3), own, former(kZen3, kOwnOnZen3)), IsEmpty());
  EXPECT_THAT(changed(former(kZen3, kOwnOnZen3), own, former(kZen4, kOwnOnZen4)), IsEmpty());
  const std::string with_variable = kOwnOnZen3 + "; ONEDNN_MAX_CPU_ISA=AVX";  // nobody looked at it
  EXPECT_THAT(changed(former(kZen3, with_variable), own, former(kZen4, kOwnOnZen4)), IsEmpty());
  json newer = former(kZen3, kOwnOnZen3);
  newer["polyhead"] = "0.2.0";
  EXPECT_THAT(changed(newer, own, former(kZen3, kOwnOnZen3)), ElementsAre("polyhead"));
}

TEST(FingerprintChanges, LibTorchGoesOnWhereItWouldHaveBefore) {
  const json torch = today("LibTorch 2.15.0; AuthenticAMD ...", "polyhead");
  const std::string heads = "LibTorch 2.15.0; heads avx2; kernels AVX2";
  EXPECT_THAT(changed(former(kZen3, heads), torch, former(kZen3, heads)), IsEmpty());
  EXPECT_THAT(changed(former(kZen4, heads), torch, former(kZen3, heads)), ElementsAre("backbone"));
  EXPECT_THAT(changed(former(kZen3, heads + "; ONEDNN_MAX_CPU_ISA=AVX"), torch, former(kZen3, heads)),
              ElementsAre("backbone"));
  const json all = today("LibTorch 2.15.0; x", "LibTorch 2.15.0; x");
  EXPECT_THAT(changed(former(kZen3, kTorchOnZen3), all, former(kZen3, kTorchOnZen3)), IsEmpty());
  EXPECT_THAT(changed(former(kZen3, kTorchOnZen3), all, former(kZen4, kTorchOnZen4)),
              ElementsAre("backbone", "heads"));
}

TEST(FingerprintChanges, AnotherEngineIsAChange) {
  EXPECT_THAT(changed(former(kZen3, kTorchOnZen3), today("winograd", "polyhead"), former(kZen3, kOwnOnZen3)),
              ElementsAre("backbone", "heads"));
  EXPECT_THAT(changed(former(kZen3, kOwnOnZen3), today("LibTorch 2.15.0; x", "LibTorch 2.15.0; x"),
                      former(kZen3, kTorchOnZen3)),
              ElementsAre("backbone", "heads"));
}

TEST(FingerprintChanges, HeadsWithLayersOfLibTorchAskForTheSameOne) {
  const json mixed = today("winograd", "polyhead avx2; LibTorch 2.15.0; x");
  EXPECT_THAT(changed(former(kZen3, kOwnOnZen3), mixed, former(kZen3, kOwnOnZen3)), IsEmpty());
  EXPECT_THAT(changed(former(kZen4, kOwnOnZen4), mixed, former(kZen3, kOwnOnZen3)), ElementsAre("heads"));
}

TEST(FingerprintChanges, ExpAsksForTheCLibraryAndFusedMultiplyAdd) {
  const json soft = today("winograd", "polyhead", libm_text("2.36", true));
  EXPECT_THAT(changed(former(kZen3, kOwnOnZen3), soft, former(kZen4, kOwnOnZen4)), IsEmpty());
  json other = former(kZen3, kOwnOnZen3);
  other["libc"] = "2.39";
  EXPECT_THAT(changed(other, soft, former(kZen3, kOwnOnZen3)), ElementsAre("fusion"));
  const json exact = today("winograd", "polyhead");
  EXPECT_THAT(changed(other, exact, former(kZen3, kOwnOnZen3)), IsEmpty());  // integers ask for neither
  const json torch = today("LibTorch 2.15.0; x", "LibTorch 2.15.0; x", libm_text("2.36", true));
  EXPECT_THAT(changed(former(kOldBox, kTorchOnZen3), torch, former(kOldBox, kTorchOnZen3)),
              ElementsAre("fusion"));
}

TEST(FingerprintChanges, DecodersCountWhereImagesAreEncoded) {
  json other = former(kZen3, kOwnOnZen3);
  other["images"] = "libjpeg-turbo 3.0.0 (2009-2024); libpng 1.6.39; resampling 1";
  EXPECT_THAT(changed(other, today("winograd", "polyhead"), former(kZen3, kOwnOnZen3)), IsEmpty());
  const json encoded = today("winograd", "polyhead", "exact", kImages);
  EXPECT_THAT(changed(former(kZen3, kOwnOnZen3), encoded, former(kZen4, kOwnOnZen4)), IsEmpty());
  EXPECT_THAT(changed(other, encoded, former(kZen3, kOwnOnZen3)), ElementsAre("images"));
  EXPECT_THAT(
      changed(other, today("winograd", "polyhead", "exact", "resampling 2"), former(kZen3, kOwnOnZen3)),
      ElementsAre("images"));
}

TEST(FingerprintChanges, AGpusDriverAndProcessorAreNone) {
  const std::string gpu =
      "LibTorch 2.15.0; NVIDIA L4; compute capability 8.9; CUDA driver 13.0, runtime 13.2; cuDNN 92600";
  const std::string driver =
      "LibTorch 2.15.0; NVIDIA L4; compute capability 8.9; CUDA driver 13.2, runtime 13.2; cuDNN 92600";
  const std::string library =
      "LibTorch 2.15.0; NVIDIA L4; compute capability 8.9; CUDA driver 13.0, runtime 13.2; cuDNN 91000";
  const json now =
      today("LibTorch 2.15.0; NVIDIA L4; 58 multiprocessors; x", "LibTorch 2.15.0; NVIDIA L4; x");
  EXPECT_THAT(changed(former(kZen3, gpu), now, former(kZen4, driver)), IsEmpty());
  EXPECT_THAT(changed(former(kZen3, library), now, former(kZen3, gpu)), ElementsAre("backbone", "heads"));
}

}  // namespace
}  // namespace polyhead::run
