#include "options.hpp"

#include "checks.hpp"
#include "classes.hpp"
#include "layers.hpp"
#include "scalars.hpp"
#include "section.hpp"
#include "texts.hpp"

namespace polyhead::config {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

constexpr int kMaxPixels = 16384;
constexpr std::uint64_t kMaxReadAhead = std::uint64_t{1} << 40U;
constexpr std::uint64_t kMaxImagePixels = std::uint64_t{1} << 31U;
constexpr int kMaxRanks = 65536;
constexpr double kMinFactor = 1e-6;
constexpr double kMaxFactor = 1e6;

Type<Preprocess> preprocess() {
  using S = Preprocess;
  return section<S>(
      {
          option("resize", &S::resize, integer_or("none", 1, kMaxPixels),
                 "Length in pixels that an image's shorter side is resized to, antialiased; none: as it is."),
          option("crop", &S::crop, integer_or("none", 1, kMaxPixels),
                 "Side in pixels of the square cut from the centre; none: no cut."),
          option("interpolation", &S::interpolation, word<Interpolation>(), "How pixels are resized."),
          option("mode", &S::mode, word<PreprocessMode>(),
                 "exact: the pixels that torchvision and Pillow give; fast: JPEGs are shrunk while decoded, "
                 "which changes pixels a little."),
          option("mean", &S::mean, triple(-kMaxFactor, kMaxFactor),
                 "Subtracted from each channel, in units of pixel value / 255."),
          option("std", &S::std, triple(kMinFactor, kMaxFactor),
                 "Each channel is divided by it, after the mean is subtracted."),
      },
      check_preprocess);
}

Type<Columns> columns() {
  using S = Columns;
  return section<S>({
      option("path", &S::path, text(), "Name of the column with the images' paths, as the header has it.")
          .defaults_to("as the header says"),
      option("label", &S::label, text(), "Name of the column with the labels; left out beside a path: none.")
          .defaults_to("as the header says"),
  });
}

Type<Data> data() {
  using S = Data;
  return section<S>({
      option("format", &S::format, word<DataFormat>(), "How the data set is stored; auto: as path looks."),
      required("path", &S::path, path(),
               "The data set: a folder of images, a CSV or TSV file of paths and labels, tar shards as "
               "x-{000..127}.tar, a CIFAR binary file or an HDF5 file."),
      option("root", &S::root, path(), "Folder that the paths in a CSV or TSV file start from.")
          .defaults_to("the file's own folder"),
      option("images", &S::images, text(),
             "HDF5 dataset with the images: uint8 [N,H,W,C] or [N,H,W], or float [N,C,H,W]."),
      option("labels", &S::labels, text(),
             "HDF5 dataset with the class of each sample; the file may lack it."),
      option(
          "classes", &S::classes, class_map(),
          "Which output of the heads each label means: the names of the outputs in their order, a map from "
          "name or number of a label to an output, or a file with a name a line.")
          .defaults_to("label i is output i"),
      option("preprocess", &S::preprocess, preprocess(),
             "What is done to an image before the backbone sees it."),
      option("max_pixels", &S::max_pixels, count(1, kMaxImagePixels),
             "Images with more pixels are quarantined before they are decoded."),
      option("max_file_size", &S::max_file_size, size(1, kMaxReadAhead),
             "Encoded images that are larger are quarantined."),
      option("workers", &S::workers, integer_or("auto", 1, 256), "Threads of a rank that read and decode."),
      option("max_bad", &S::max_bad, bad_limit(),
             "How many samples may be quarantined before the run stops: a number, or a share, rounded down: "
             "0.1% "
             "of fewer than 1000 is none."),
      option("read_ahead", &S::read_ahead, size(0, kMaxReadAhead),
             "Memory of a rank for micro-batches that are decoded ahead; at least two are held."),
      option("columns", &S::columns, columns(), "Which columns of a CSV or TSV file are read."),
  });
}

Type<Backbone> backbone() {
  using S = Backbone;
  return section<S>({
      option("arch", &S::arch, word<Arch>(), "Architecture, as torchvision defines it."),
      required("weights", &S::weights, path(),
               "File with its weights: safetensors, or a PyTorch state_dict (.pth)."),
      option("precision", &S::precision, word<Precision>(), "Number format that it computes in."),
      option(
          "engine", &S::engine, word<Engine>(),
          "What computes it on CPUs; winograd: polyhead's own kernels, for AVX2 and AVX-512; libtorch: "
          "LibTorch's; auto: winograd where the processor and the architecture allow it. A GPU always takes "
          "LibTorch."),
      option("key", &S::key, text(),
             "Entry of the file that is read, where it holds several: state_dict_ema, teacher.")
          .defaults_to("the only one"),
      option("prefix", &S::prefix, text_or_auto(),
             "What the names of its parameters start with in the file: module.encoder_q. (with the dot); "
             "auto: found out."),
      option("rename", &S::rename, text_map(),
             "Starts of names in the file, after the prefix, and what stands for them: {fc1: 0}.")
          .defaults_to("none"),
      option("batchnorm_eps", &S::batchnorm_eps, number(0, 1),
             "The eps of its batch norms, which weights files do not hold."),
  });
}

Type<Head> head() {
  using S = Head;
  return section<S>(
      {
          option("name", &S::name, head_name(), "Names the head in results.")
              .defaults_to("the weights file's name without its suffix"),
          option("weights", &S::weights, path(),
                 "File with its weights, as for the backbone; this, program or glob is required.")
              .defaults_to("none"),
          option("glob", &S::glob, pattern(),
                 "Instead of name and weights: a member for each file that matches, sorted by path; .pt2 "
                 "files are "
                 "programs.")
              .defaults_to("none"),
          option("program", &S::program, path(),
                 "A whole model, needing no backbone: its archive of torch.export.save (.pt2).")
              .defaults_to("none"),
          option(
              "arch", &S::arch, text(),
              "Makes it a whole model whose weights are given: resnet18, 34, 50, 101, 152, wide_resnet50_2, "
              "wide_resnet101_2, resnext50_32x4d, resnext101_32x8d or resnext101_64x4d of torchvision.")
              .defaults_to("none"),
          option("layers", &S::layers, layers(),
                 "Its layers, in the order and with the parameter names of nn.Sequential; may be left out "
                 "where the shapes in the file leave one reading: a single linear layer.")
              .defaults_to("found out"),
          option("weight", &S::weight, number(kMinFactor, kMaxFactor),
                 "Its share in the fusion, relative to the other heads'; not with fusion.rule: median."),
          option("key", &S::key, text(), "Entry of the file that is read, where it holds several.")
              .defaults_to("the only one"),
          option(
              "prefix", &S::prefix, text_or_auto(),
              "What the names of its parameters start with in the file; with a * in it there is a head for "
              "each match; auto: found out."),
          option("rename", &S::rename, text_map(),
                 "Starts of names in the file, after the prefix, and what stands for them: {fc1: 0}.")
              .defaults_to("none"),
          option("trunk", &S::trunk, word<Trunk>(),
                 "What is done where the head's file carries a backbone, too; compare: it must be the job's; "
                 "ignore: it is not looked at."),
          option("batchnorm_eps", &S::batchnorm_eps, number(0, 1),
                 "The eps of its batch norms, which weights files do not hold."),
          option("layernorm_eps", &S::layernorm_eps, number(0, 1), "The eps of its layer norms."),
      },
      check_head);
}

Type<Fusion> fusion() {
  using S = Fusion;
  return section<S>({
      option("rule", &S::rule, word<FusionRule>(),
             "How the members' scores become one: the weighted mean of their logits, or of their softmax; or "
             "the "
             "median of logits, for which all count the same, of an even number the mean of the middle two."),
  });
}

Type<GridShape> grid_shape() {
  using S = GridShape;
  return section<S>({
      required("data", &S::data, integer(1, kMaxRanks), "Groups of ranks that share the data."),
      required("heads", &S::heads, integer(1, kMaxRanks), "Ranks of a group, which share the heads."),
  });
}

Type<Parallel> parallel() {
  using S = Parallel;
  return section<S>(
      {
          option("strategy", &S::strategy, word<Strategy>(),
                 "How ranks share the work; data: each takes micro-batches and has all heads; heads: each "
                 "has some of the heads; grid: both, as grid says; auto: what is fastest and fits."),
          option("grid", &S::grid, optional_section(grid_shape()),
                 "With strategy grid: how many ranks share what. Ranks beyond data x heads idle."),
          option("features", &S::features, word<Features>(),
                 "Ranks that share heads need each other's features; exchange: each computes its part and "
                 "sends it to the others; local: each computes all, for slow networks."),
          option("batch", &S::batch, integer_or("auto", 1, 4096), "Samples in a micro-batch."),
          option("threads", &S::threads, integer_or("auto", 1, 1024),
                 "Compute threads of a rank; auto: its share of the cores."),
          option("device", &S::device, word<Device>(), "Where the model runs; auto: a GPU if there is one."),
      },
      check_parallel);
}

Type<Output> output() {
  using S = Output;
  return section<S>({
      required("path", &S::path, path(), "The HDF5 file that the results are written to."),
      option("head_scores", &S::head_scores, boolean(),
             "Whether every head's scores are stored, not only the fused ones."),
      option("uncertainty", &S::uncertainty, words<Uncertainty>(),
             "What is stored of how sure the ensemble is of each sample, under /uncertainty.")
          .defaults_to("none"),
      option("commit_interval", &S::commit_interval, duration(milliseconds(0), hours(1)),
             "Longest time that finished rows may stay uncommitted."),
      option("writers", &S::writers, word<Writers>(),
             "Who writes rows; all: each rank what it computed, where all ranks share a parallel file system "
             "and rows are wide (many heads or classes with head_scores)."),
      option("cache", &S::cache, word<Cache>(),
             "features: what the backbone gives is kept in a file beside the output, 2 KiB a sample (8 with "
             "resnet50); a later job in the same folder with other heads or another fusion reads no image."),
  });
}

Type<Comm> comm() {
  using S = Comm;
  return section<S>({
      option("backend", &S::backend, word<CommBackend>(),
             "What carries weights to GPUs, and features and sums between ranks that share the heads; auto: "
             "NCCL where each of "
             "them has a GPU of its own, else MPI; nccl: an error where one has no GPU, MPI where two share "
             "one."),
      option("timeout", &S::timeout, duration(milliseconds(100), hours(24)),
             "A rank that is silent for so long counts as lost."),
  });
}

Type<Run> run() {
  using S = Run;
  return section<S>({
      option("time_limit", &S::time_limit, duration_or("none", milliseconds(1), 10'000 * hours(1)),
             "Time after which a run stops by itself, with what is under way finished and exit code 75; "
             "counted from "
             "the program's start."),
      option("against", &S::against, path(),
             "A .npz file with logits of a few samples that PyTorch gave: they are computed before the run, "
             "which ends where they differ.")
          .defaults_to("none"),
  });
}

Type<Config> config() {
  using S = Config;
  const auto whole = [](const S& config) { return config.has_whole_members(); };
  const auto heads = [](const S& config) { return !config.has_whole_members(); };
  const Type<std::vector<Head>> members = list(head(), "list of at least one head");
  return section<S>(
      {
          option("data", &S::data, data(), "The data set."),
          option("backbone", &S::backbone, backbone(),
                 "The network that all heads share; whole models have none.")
              .only_if(heads),
          option("members", &S::heads, members,
                 "The ensemble's members: heads on the backbone, or whole models (program, arch).")
              .defaults_to("required")
              .only_if(whole),
          option("heads", &S::heads, members, "The old name of members.")
              .defaults_to("none")
              .only_if(heads)
              .described_elsewhere(),
          option("fusion", &S::fusion, fusion(), "How the heads' answers become one."),
          option("parallel", &S::parallel, parallel(), "How the work is spread."),
          option("output", &S::output, output(), "What is written."),
          option("comm", &S::comm, comm(), "How ranks talk to each other."),
          option("run", &S::run, run(), "When a run stops by itself."),
      },
      check_members);
}

}  // namespace

const Type<Config>& options() {
  static const Type<Config> kOptions = config();
  return kOptions;
}

}  // namespace polyhead::config
