#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// A job as the user describes it: plain structs with their defaults. `options.cpp` states each option's
/// meaning, unit and allowed values; `polyhead config-reference` prints them.
namespace polyhead::config {

enum class DataFormat { automatic, image_folder, webdataset, cifar10, cifar100, hdf5 };
enum class Interpolation { bilinear, bicubic };
enum class PreprocessMode { exact, fast };
enum class Arch { resnet18, resnet34, resnet50 };
enum class Precision { fp32 };
enum class Engine { automatic, winograd, libtorch };
enum class FusionRule : std::uint8_t;   // fusion_rule.hpp has its values
enum class Uncertainty : std::uint8_t;  // uncertainty.hpp has its values
enum class Strategy { automatic, data, heads, grid };
enum class Features { exchange, local };
enum class CommBackend { automatic, mpi, nccl };
enum class Writers { coordinator, all };
enum class Cache { none, features };
enum class Device { automatic, cpu, cuda };
enum class Trunk { compare, ignore };

/// Operations on an image before the backbone sees it.
struct Preprocess {
  std::optional<int> resize;  ///< length of the shorter side, pixels, antialiased; empty: as it is
  std::optional<int> crop;    ///< side of the square cut from the centre, pixels; empty: as it is
  Interpolation interpolation = Interpolation::bilinear;
  PreprocessMode mode = PreprocessMode::exact;
  std::array<double, 3> mean{0, 0, 0};  ///< subtracted, one value per channel, in units of pixel / 255
  std::array<double, 3> std{1, 1, 1};   ///< divided by, one value per channel
};

/// Map from the labels of the data set to the outputs of the heads. Empty: label i is output i.
struct ClassMap {
  struct Entry {
    std::string label;         ///< a name, or a number where the data set has no names
    std::int32_t output = -1;  ///< the heads' output; -1: the entry's place in the list
    friend bool operator==(const Entry&, const Entry&) = default;
  };
  std::vector<Entry> entries;
  std::filesystem::path file;  ///< instead of entries: names of the outputs, one per line
};

/// Number of samples that may be quarantined before the run stops.
struct BadLimit {
  double share = 0.001;               ///< share of all samples, from 0 to 1; used where there is no count
  std::optional<std::int64_t> count;  ///< number of samples, whatever their share
  friend bool operator==(const BadLimit&, const BadLimit&) = default;
  /// Samples that may be quarantined among `samples`; a share is rounded down.
  [[nodiscard]] std::int64_t of(std::int64_t samples) const;
};

/// Columns of a list of images that are read. Empty: as the list's header says.
struct Columns {
  std::string path;   ///< the column's name in the header
  std::string label;  ///< likewise; empty, with a path: the list has no labels
  friend bool operator==(const Columns&, const Columns&) = default;
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
  std::uint64_t max_pixels = 178'956'970;  ///< pixels of an image; Pillow's limit against decompression bombs
  std::uint64_t max_file_size = std::uint64_t{256} << 20U;  ///< bytes of an encoded image
  std::optional<int> workers;                               ///< decoding threads per rank; empty: `auto`
  BadLimit max_bad;
  std::uint64_t read_ahead = std::uint64_t{64}
                             << 20U;  ///< bytes of decoded micro-batches kept ready, per rank
  Columns columns;                    ///< for CSV and TSV files
};

/// Prefixes of parameter names in the file and their replacements: {"fc1": "0"}.
using Renames = std::map<std::string, std::string>;

inline constexpr double kDefaultEpsilon = 1e-5;  ///< epsilon of PyTorch's BatchNorm and LayerNorm

struct Backbone {
  Arch arch = Arch::resnet18;
  std::filesystem::path weights;
  Precision precision = Precision::fp32;
  Engine engine = Engine::automatic;  ///< engine that computes it on CPUs
  std::string key;  ///< entry of the file that is read, "state_dict_ema"; empty: the only one
  std::optional<std::string> prefix;  ///< prefix of the names in the file; nothing: found out
  Renames rename;
  double batchnorm_eps = kDefaultEpsilon;  ///< epsilon of all its batch norms
};

enum class LayerKind { linear, relu, gelu, tanh, batchnorm, layernorm, dropout, flatten };

/// One layer of a head, in `nn.Sequential`'s order.
struct Layer {
  LayerKind kind = LayerKind::relu;
  std::int64_t width = 0;  ///< `linear`: number of outputs
  double rate = 0;         ///< `dropout`: kept for the record, inference leaves it out
  friend bool operator==(const Layer&, const Layer&) = default;
};

/// A member of the ensemble: a head on the backbone, or a whole model.
struct Head {
  std::string name;
  std::string glob;  ///< instead of `name` and `weights`: one head for each file that matches; gone after
                     ///< `resolve_files`
  std::filesystem::path program;  ///< of a whole model: its archive of `torch.export.save`
  std::string arch;               ///< of a whole model whose weights are given: "resnet18"
  std::vector<Layer> layers;      ///< may be empty until the weights are read: their shapes then tell
  std::filesystem::path weights;
  double weight = 1.0;                ///< the head's share in the fusion
  std::string key;                    ///< as for the backbone
  std::optional<std::string> prefix;  ///< as for the backbone; with a * one head for each match
  Renames rename;
  Trunk trunk = Trunk::compare;  ///< treatment of a backbone in the head's file
  double batchnorm_eps = kDefaultEpsilon;
  double layernorm_eps = kDefaultEpsilon;

  /// Whether the pattern is one of programs.
  [[nodiscard]] bool globs_programs() const { return glob.ends_with(".pt2"); }
  /// The file that is read: the program of a whole model, or weights.
  [[nodiscard]] const std::filesystem::path& file() const { return program.empty() ? weights : program; }
  [[nodiscard]] bool is_whole() const { return !program.empty() || !arch.empty() || globs_programs(); }
};

struct Fusion {
  FusionRule rule{};  ///< mean-logits unless another is named
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
  std::optional<int> threads;  ///< compute threads per rank; empty: `auto`
  Device device = Device::automatic;
  std::optional<GridShape> grid;  ///< given with strategy `grid`, and only then
  Features features = Features::exchange;
};

struct Output {
  std::filesystem::path path;
  bool head_scores = false;
  std::vector<Uncertainty> uncertainty;             ///< measures that are stored, each once
  std::chrono::milliseconds commit_interval{5000};  ///< longest time that finished rows stay uncommitted
  Writers writers = Writers::coordinator;
  Cache cache = Cache::none;
};

struct Comm {
  CommBackend backend = CommBackend::automatic;
  std::chrono::milliseconds timeout{60000};  ///< a rank silent for this long counts as lost
};

struct Run {
  std::optional<std::chrono::milliseconds> time_limit;  ///< counted from the program's start; empty: none
  std::filesystem::path against;  ///< .npz with reference logits that are compared first; empty: none
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

  /// Whether the members are whole models; else they are heads on the backbone.
  [[nodiscard]] bool has_whole_members() const { return !heads.empty() && heads.front().is_whole(); }
};

}  // namespace polyhead::config
