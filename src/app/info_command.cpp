#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "commands.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/path_names.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/checkpoint/checkpoint.hpp"
#include "polyhead/checkpoint/exported_program.hpp"
#include "polyhead/checkpoint/npz.hpp"
#include "polyhead/checkpoint/shape.hpp"
#include "polyhead/graph/resnet.hpp"
#include "polyhead/graph/sharing.hpp"
#include "polyhead/model/graph_executor.hpp"
#include "polyhead/report/sharing.hpp"
#include "polyhead/report/summary.hpp"
#include "polyhead/store/reader.hpp"

namespace polyhead::app {
namespace {

namespace exported = checkpoint::exported;

constexpr std::int64_t kBatch = 16;  // samples; what is told is for one
constexpr double kTolerance = 1e-4;  // of the largest logit

struct Options {
  std::vector<std::string> files;
  bool bad = false;
  bool json = false;
  std::string arch;
  std::int64_t size = 224;
  std::string against;
};

bool is_each_once(std::vector<std::string> names) {
  std::ranges::sort(names);
  return std::ranges::adjacent_find(names) == names.end();
}

graph::Graph read_member(const Options& options, const std::string& file) {
  if (options.arch.empty() || exported::is_archive(file))
    return graph::read_graph(exported::Archive(file), kBatch);
  const graph::ResNet& spec = graph::resnet(options.arch);
  return graph::resnet_graph(spec, file, checkpoint::read_checkpoint(file),
                             {options.size, options.size, kBatch});
}

/// Array of the reference, fp32.
std::vector<float> array_of(const checkpoint::NumpyArray& array) {
  return {array.values.begin(), array.values.end()};
}

void check_shape(const std::string& file, const char* name, const std::vector<std::int64_t>& given,
                 const std::vector<std::int64_t>& wanted) {
  if (given == wanted) return;
  throw Error(ExitCode::bad_data, fmt::format("{}: {} has shape {}, and the model has {}", file, name,
                                              checkpoint::shape_text(given), checkpoint::shape_text(wanted)));
}

/// How far scores are from those that are wanted.
struct Distance {
  double most = 0;     ///< infinite where only one of two is a number
  double largest = 0;  ///< of the wanted ones

  [[nodiscard]] bool is_small() const { return most <= kTolerance * std::max(1.0, largest); }
};

Distance distance_of(const std::vector<float>& scores, const std::vector<float>& wanted) {
  Distance distance;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const double off = std::abs(double{scores[i]} - double{wanted[i]});
    const bool same = scores[i] == wanted[i] || (std::isnan(scores[i]) && std::isnan(wanted[i]));
    if (!same) distance.most = std::max(distance.most, std::isnan(off) ? INFINITY : off);
    if (std::isfinite(wanted[i])) distance.largest = std::max(distance.largest, std::abs(double{wanted[i]}));
  }
  return distance;
}

/// Scores of the reference's images, computed in one batch.
std::vector<float> scores_of(const Options& options, const checkpoint::NumpyArray& images,
                             const checkpoint::NumpyArray& logits) {
  const exported::Archive archive(options.files.front());
  const std::int64_t batch = images.shape.empty() ? 0 : images.shape.front();
  const graph::Graph graph = graph::read_graph(archive, batch);
  check_shape(options.against, "images", images.shape, graph.values[graph.inputs.front()].shape);
  check_shape(options.against, "logits", logits.shape, graph.values[graph.outputs.front()].shape);
  model::GraphExecutor executor(archive, graph, 1);
  std::vector<float> scores(static_cast<std::size_t>(executor.outputs()));
  executor.run(array_of(images), scores);
  return scores;
}

/// Computes the model on the reference's images, and compares the scores.
void compare(const Options& options) {
  if (options.files.size() > 1 || !exported::is_archive(options.files.front()))
    throw Error(ExitCode::usage, "--against compares one model of torch.export.save (.pt2)");
  const checkpoint::NpzReader reference(options.against);
  const checkpoint::NumpyArray images = reference.read("images");
  const checkpoint::NumpyArray logits = reference.read("logits");
  const Distance distance = distance_of(scores_of(options, images, logits), array_of(logits));
  const std::string verdict = distance.most == 0 ? "the same bits"
                                                 : fmt::format("logits differ by {:.2g} at most, of {:.3g}",
                                                               distance.most, distance.largest);
  const std::string text = fmt::format("{} compared with {}: {}", counted(images.shape.front(), "image"),
                                       options.against, verdict);
  if (!distance.is_small()) throw Error(ExitCode::bad_data, text);
  fmt::print("{}\n", text);
}

void describe_models(const Options& options) {
  if (options.bad)
    throw Error(ExitCode::usage, "--bad lists the samples of a result file, and these are models");
  std::vector<graph::NamedGraph> members;
  const std::vector<std::string> names = differing_parts({options.files.begin(), options.files.end()});
  if (!is_each_once(names)) throw Error(ExitCode::usage, "a file is named twice");
  for (std::size_t k = 0; k < names.size(); ++k)
    members.push_back({names[k], read_member(options, options.files[k])});
  const graph::Sharing sharing = graph::find_sharing(members);
  fmt::print("{}", options.json ? report::sharing_json(sharing) : report::sharing_text(sharing));
}

void describe_result(const Options& options) {
  if (options.files.size() > 1) {
    throw Error(ExitCode::usage,
                fmt::format("info shows one result file, or what several models have in common; {} is no "
                            "model of torch.export.save (.pt2)",
                            options.files.front()));
  }
  if (options.json) throw Error(ExitCode::usage, "--json is for models (.pt2); a result file has h5py");
  const std::string& file = options.files.front();
  if (const std::string kind = std::filesystem::path(file).extension().string();
      kind == ".pth" || kind == ".pt" || kind == ".safetensors" || kind == ".ckpt" || kind == ".bin") {
    throw Error(
        ExitCode::bad_data,
        fmt::format("{}: weights alone do not say what is computed with them: say --arch resnet18, or export "
                    "the model with torch.export.save (.pt2); a result of polyhead is an .h5 file",
                    file));
  }
  fmt::print("{}", report::info_text(store::Reader(file), file, options.bad));
}

}  // namespace

void add_info(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "info", "Show what is in a result file and how far it got; or what models have in common");
  command->add_option("file", options->files, "Result file (.h5), or models of torch.export.save (.pt2)")
      ->required()
      ->check(CLI::Validator([](const std::string& file) { return file.empty() ? "is empty" : ""; }, ""));
  command->add_flag("--bad", options->bad, "List the quarantined samples with their reasons");
  command->add_flag("--json", options->json, "What models have in common as JSON");
  command->add_option("--arch", options->arch,
                      "The files are weights of this ResNet of torchvision: resnet18, resnext50_32x4d ...");
  command->add_option("--size", options->size, "With --arch: height and width of the images")
      ->check(CLI::Range(32, 4096));
  command->add_option("--against", options->against,
                      "Compare a model with PyTorch's: an .npz file of images and logits");
  command->callback([options] {
    if (!options->against.empty()) return compare(*options);
    const bool models = !options->arch.empty() || exported::is_archive(options->files.front());
    models ? describe_models(*options) : describe_result(*options);
  });
}

}  // namespace polyhead::app
