// Images that one thread decodes and preprocesses in a second of processor time: bench_decode exact|fast
// FOLDER SECONDS Every JPEG in FOLDER and below is read into memory first. Prints one number.

#include "polyhead/image/decode.hpp"

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

namespace {

namespace fs = std::filesystem;
using polyhead::Reason;
using polyhead::image::ImageDecoder;

constexpr std::uint64_t kMaxPixels = std::uint64_t{1} << 28U;

std::vector<std::string> read_jpegs(const fs::path& folder) {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".jpg") continue;
    std::ifstream in(entry.path(), std::ios::binary);
    files.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return files;
}

polyhead::config::Preprocess imagenet(std::string_view mode) {
  polyhead::config::Preprocess preprocess;
  preprocess.resize = 256;
  preprocess.crop = 224;
  preprocess.mean = {0.485, 0.456, 0.406};
  preprocess.std = {0.229, 0.224, 0.225};
  if (mode == "fast") preprocess.mode = polyhead::config::PreprocessMode::fast;
  return preprocess;
}

/// Not those of a clock: whatever else runs meanwhile would count, too.
double processor_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

double images_per_second(const std::vector<std::string>& files, ImageDecoder& decode, double seconds) {
  std::vector<float> out(std::size_t{3} * 224 * 224);
  const double begin = processor_seconds();
  std::size_t count = 0;
  for (double passed = 0; passed < seconds; ++count) {
    const std::string& file = files[count % files.size()];
    if (decode(std::as_bytes(std::span(file)), out) != Reason::none) std::exit(1);
    passed = processor_seconds() - begin;
  }
  return static_cast<double>(count) / (processor_seconds() - begin);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv, argv + argc);
  if (argc != 4 || (arguments[1] != "exact" && arguments[1] != "fast")) {
    fmt::print(stderr, "usage: bench_decode exact|fast FOLDER SECONDS\n");
    return 2;
  }
  const auto files = read_jpegs(arguments[2]);
  if (files.empty()) {
    fmt::print(stderr, "no *.jpg in {}\n", arguments[2]);
    return 1;
  }
  ImageDecoder decode(imagenet(arguments[1]), kMaxPixels);
  const double seconds = std::stod(arguments[3]);
  images_per_second(files, decode, seconds / 10);  // warm caches
  fmt::print("{:.1f}\n", images_per_second(files, decode, seconds));
  return 0;
}
