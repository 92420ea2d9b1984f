#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// A job as the user describes it: plain structs with their defaults. What each option means, its unit and
/// its allowed values stand in one place, `options.cpp`; `polyhead config-reference` prints them.
namespace polyhead::config {

enum class DataFormat { automatic, image_folder, webdataset, cifar10, cifar100, hdf5 };
enum class Interpolation { bilinear, bicubic };
enum class PreprocessMode { exact, fast };
enum class Arch { resnet18, resnet34, resnet50 };
enum class Precision { fp32 };
enum class Engine { automatic, winograd, libtorch };
enum class FusionRule { mean_logits, mean_probabilities };
enum class Strategy { automatic, data, heads, grid };
enum class Features { exchange, local };
enum class CommBackend { automatic, mpi, nccl };
enum class Writers { coordinator, all };
enum class Cache { none, features };
enum class Device { automatic, cpu, cuda };

/// What is done to an image before the backbone sees it.
struct Preprocess {
  std::optional<int> resize;  ///< length of the shorter side, pixels, antialiased; empty: as it is
  std::optional<int> crop;    ///< side of the square cut from the centre, pixels; empty: as it is
  Interpolation interpolation = Interpolation::bilinear;
  PreprocessMode mode = PreprocessMode::exact;
  std::array<double, 3> mean{0, 0, 0};  ///< subtracted, a value a channel, in units of pixel / 255
  std::array<double, 3> std{1, 1, 1};   ///< divided by, a value a channel
};

/// From the labels of the data set to the outputs of the heads. Empty: label i is output i.
struct ClassMap {
  struct Entry {
    std::string label;         ///< a name, or a number where the data set has no names
    std::int32_t output = -1;  ///< the heads' output; -1: the entry's place in the list
    friend bool operator==(const Entry&, const Entry&) = default;
  };
  std::vector<Entry> entries;
  std::filesystem::path file;  ///< instead of entries: the outputs' names, one a line
};

struct Data {
  DataFormat format = DataFormat::automatic;
  std::filesystem::path path;  ///< a file, a folder, or a pattern of tar shards
  std::filesystem::path root;  ///< what paths in a manifest are relative to; empty: the manifest's folder
  std::string images =
      "images";  ///< name of the HDF5 dataset: uint8 [N,H,W,C] or [N,H,W], or float [N,C,H,W]
  std::string labels =
      "labels";  ///< name of the HDF5 dataset with the class of each sample; it may be missing
  ClassMap classes;
  Preprocess preprocess;
  std::uint64_t max_pixels = 178'956'970;  ///< of an image; Pillow's limit against decompression bombs
  std::uint64_t max_file_size = std::uint64_t{256} << 20U;  ///< bytes of an encoded image
  std::optional<int> workers;                               ///< decoding threads a rank; empty: `auto`
  double max_bad = 0.001;  ///< share of samples that may be quarantined before the run stops
  std::uint64_t read_ahead = std::uint64_t{64} << 20U;  ///< bytes of decoded micro-batches kept ready, a rank
};

struct Backbone {
  Arch arch = Arch::resnet18;
  std::filesystem::path weights;
  Precision precision = Precision::fp32;
  Engine engine = Engine::automatic;  ///< what computes it on CPUs
};

enum class LayerKind { linear, relu, gelu, tanh, batchnorm, layernorm, dropout, flatten };

/// One layer of a head, in `nn.Sequential`'s order.
struct Layer {
  LayerKind kind = LayerKind::relu;
  std::int64_t width = 0;  ///< `linear`: number of outputs
  double rate = 0;         ///< `dropout`: kept for the record, inference leaves it out
  friend bool operator==(const Layer&, const Layer&) = default;
};

struct Head {
  std::string name;
  std::string glob;  ///< instead of `name` and `weights`: one head for each file that matches; gone after
                     ///< `resolve_files`
  std::vector<Layer> layers;
  std::filesystem::path weights;
  double weight = 1.0;  ///< the head's share in the fusion
};

struct Fusion {
  FusionRule rule = FusionRule::mean_logits;
};

/// Ranks as D data groups of H ranks that share the heads.
struct GridShape {
  int data = 1;   ///< D
  int heads = 1;  ///< H
  friend bool operator==(const GridShape&, const GridShape&) = default;
};

struct Parallel {
  Strategy strategy = Strategy::automatic;
  std::optional<int> batch;    ///< samples in a micro-batch; empty: `auto`
  std::optional<int> threads;  ///< compute threads a rank; empty: `auto`
  Device device = Device::automatic;
  std::optional<GridShape> grid;  ///< with strategy `grid`, and only with it
  Features features = Features::exchange;
};

struct Output {
  std::filesystem::path path;
  bool head_scores = false;
  std::chrono::milliseconds commit_interval{5000};  ///< longest time that finished rows stay uncommitted
  Writers writers = Writers::coordinator;
  Cache cache = Cache::none;
};

struct Comm {
  CommBackend backend = CommBackend::automatic;
  std::chrono::milliseconds timeout{60000};  ///< a rank silent for so long counts as lost
};

struct Run {
  std::optional<std::chrono::milliseconds> time_limit;  ///< from the program's start; empty: none
};

struct Config {
  Data data;
  Backbone backbone;
  std::vector<Head> heads;
  Fusion fusion;
  Parallel parallel;
  Output output;
  Comm comm;
  Run run;
};

}  // namespace polyhead::config
