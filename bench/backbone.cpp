// One contestant of bench/backbone.py: polyhead's backbone, as a run uses it.
//
//   bench_backbone ENGINE THREADS WEIGHTS PIXELS FEATURES
//
// PIXELS: fp32 [N, 3, 224, 224]. Reads lines: "prepare BATCH" builds the model, computes the first BATCH
// images and writes their features to FEATURES; "run" computes them again. Answers each with the seconds that
// the computation took.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>

#include "polyhead/base/aligned.hpp"
#include "polyhead/model/model.hpp"

namespace {

using namespace polyhead;

constexpr std::int64_t kSide = 224;
constexpr std::size_t kImage = std::size_t{3} * kSide * kSide;

class Contestant {
 public:
  Contestant(const std::string& engine, int threads, const std::string& weights, const char* pixels)
      : assignment_{false, 0, threads} {
    config_.backbone.weights = weights;
    config_.backbone.engine = engine == "winograd" ? config::Engine::winograd : config::Engine::libtorch;
    std::ifstream file(pixels, std::ios::binary | std::ios::ate);
    pixels_.resize(static_cast<std::size_t>(file.tellg()) / sizeof(float));
    file.seekg(0);
    file.read(reinterpret_cast<char*>(pixels_.data()),
              static_cast<std::streamsize>(pixels_.size() * sizeof(float)));
  }

  double prepare(std::int64_t batch, const char* features) {
    model_.reset();
    model::Notes notes;
    model::Weights loaded = model::load_weights(config_, notes);
    images_ = std::span(pixels_).first(static_cast<std::size_t>(batch) * kImage);
    features_.resize(static_cast<std::size_t>(batch * loaded.feature_width));
    model_ = model::make_model(config_, std::move(loaded), batch, {kSide, kSide}, assignment_);
    const double seconds = run();
    std::ofstream(features, std::ios::binary)
        .write(reinterpret_cast<const char*>(features_.data()),
               static_cast<std::streamsize>(features_.size() * sizeof(float)));
    return seconds;
  }

  double run() {
    const auto start = std::chrono::steady_clock::now();
    model_->features(images_, features_);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }

 private:
  config::Config config_;
  model::DeviceAssignment assignment_;
  AlignedVector<float> pixels_;
  std::span<const float> images_;
  AlignedVector<float> features_;
  std::unique_ptr<model::Model> model_;
};

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 6) {
    std::fputs("usage: bench_backbone ENGINE THREADS WEIGHTS PIXELS FEATURES\n", stderr);
    return 64;
  }
  Contestant contestant(argv[1], std::stoi(argv[2]), argv[3], argv[4]);
  for (std::string line; std::getline(std::cin, line);) {
    const bool prepare = line.starts_with("prepare ");
    std::cout << (prepare ? contestant.prepare(std::stoi(line.substr(8)), argv[5]) : contestant.run())
              << std::endl;
  }
} catch (const std::exception& error) {
  std::fprintf(stderr, "bench_backbone: %s\n", error.what());
  return 1;
}
