#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "helpers.hpp"
#include "polyhead/config/load.hpp"

/// One line a bad case: what is written, and what is said about it.
namespace polyhead::config {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct BadCase {
  std::string line;      ///< instead of the small configuration's line with the same key
  std::string expected;  ///< part of the message
};

void expect_explained(const std::vector<BadCase>& cases) {
  for (const BadCase& bad : cases) {
    SCOPED_TRACE(bad.line);
    const auto error = error_of(small_with(bad.line));
    EXPECT_THAT(error.message, HasSubstr(bad.expected));
    EXPECT_THAT(error.message, Not(HasSubstr("\n"))) << "one mistake, one line";
    EXPECT_EQ(error.code, ExitCode::config);
  }
}

const std::vector<BadCase> kSectionCases{
    {"data: {pth: x, path: d.h5}",
     "e.yaml:1:8: data: unknown option 'pth', did you mean 'path'? Options of data: format, path, "},
    {"dta: 5",
     "e.yaml:6:1: unknown option 'dta', did you mean 'data'? Sections: data, backbone, members, heads, "},
    {"fusion: {zzzzzzzz: x}", "e.yaml:6:10: fusion: unknown option 'zzzzzzzz'. Options of fusion: rule"},
    {"data: {}",
     "e.yaml:1:7: data: 'path' is required (path: The data set: a folder of images, a CSV or TSV file of "
     "paths and labels, tar shards as x-{000..127}.tar, a CIFAR binary file or an HDF5 file.)"},
    {"data: d.h5", "e.yaml:1:7: data: expected a section with the options format, path, "},
    {"backbone: {arch: resnet34}", "e.yaml:2:11: backbone: 'weights' is required"},
    {"output: {head_scores: true}", "e.yaml:5:9: output: 'path' is required"},
    {"data: {path: a, path: b}", "e.yaml:1:17: the key 'path' is already given at e.yaml:1:8"},
    {"heads: []", "e.yaml:3:8: heads: expected list of at least one head; found an empty list"},
    {"heads: {name: a}", "e.yaml:3:8: heads: expected list of at least one head; found a map"},
    {"heads: a.pth", "e.yaml:3:8: heads: expected list of at least one head; found 'a.pth'"},
    {"heads: [a.pth]",
     "e.yaml:3:9: heads[0]: expected a section with the options name, weights, glob, program, arch, layers, "
     "weight, "
     "key, prefix, rename, trunk, batchnorm_eps, layernorm_eps; found "
     "'a.pth'"},
};
TEST(Errors, OfSections) {
  expect_explained(kSectionCases);
}

const std::vector<BadCase> kDataCases{
    {"data: {path: d.h5, format: hdf6}",
     "e.yaml:1:28: data.format: expected one of auto, image-folder, webdataset, cifar10, cifar100, hdf5; "
     "found 'hdf6'; did you mean 'hdf5'?"},
    {"data: {path: d, classes: [a, b, a]}", "e.yaml:1:33: data.classes: the class 'a' is there twice"},
    {"data: {path: d, classes: {a: 0, b: -1}}",
     "e.yaml:1:36: data.classes: expected an output from 0 to 999999; found '-1'"},
    {"data: {path: d, classes: []}",
     "e.yaml:1:26: data.classes: expected list of names, map of labels to outputs from 0 to 999999, or path "
     "of "
     "a file; found an empty list"},
    {"data: {path: d, max_pixels: 0}",
     "e.yaml:1:29: data.max_pixels: expected whole number from 1 to 2147483648; found '0'"},
    {"data: {path: d.h5, format: [hdf5]}",
     "e.yaml:1:28: data.format: expected one of auto, image-folder, webdataset, cifar10, cifar100, hdf5; "
     "found a list"},
    {"data: {path: }", "e.yaml:1:14: data.path: expected path; found nothing"},
    {"data: {path: ''}", "e.yaml:1:14: data.path: expected path; found ''"},
    {"data: {path: [a]}", "e.yaml:1:14: data.path: expected path; found a list"},
    {R"(data: {path: "a\0b"})", "e.yaml:1:14: data.path: '/base/a\\x00b' has a control character in it"},
    {R"(data: {path: d.h5, images: "a\nb"})", "data.images: 'a\\x0ab' has a control character in it"},
    {"data: {path: d.h5, images: {a: b}}", "data.images: expected text; found a map"},
    {"data: {path: d.h5, max_bad: 101%}",
     "data.max_bad: expected share below 1, from 0% to 100%, or a number of samples from 2; found '101%'"},
    {"data: {path: d.h5, max_bad: -0.1}",
     "data.max_bad: expected share below 1, from 0% to 100%, or a number of samples from 2; found '-0.1'"},
    {"data: {path: d.h5, max_bad: few}", "found 'few'"},
    {"data: {path: d.h5, max_bad: .nan}", "found '.nan'"},
    {"data: {path: d.h5, read_ahead: 64Mib}",
     "found '64Mib'; unknown unit 'Mib', did you mean 'MiB'? Units: TiB, TB, "},
    {"data: {path: d.h5, read_ahead: -1}", "data.read_ahead: expected size from 0B to 1TiB; found '-1'"},
    {"data: {path: d.h5, read_ahead: 2TiB}", "expected size from 0B to 1TiB; found '2TiB'"},
    {"data: {path: d.h5, read_ahead: 1e400}", "found '1e400'"},
    {"data: {path: d.h5, read_ahead: 1e300GiB}", "found '1e300GiB'"},
    {"data: {path: d.h5, preprocess: {resize: 0}}",
     "e.yaml:1:41: data.preprocess.resize: expected whole number from 1 to 16384, or none; found '0'"},
    {"data: {path: d.h5, preprocess: {resize: 99999999999}}", "found '99999999999'"},
    {"data: {path: d.h5, preprocess: {resize: 2.5}}", "found '2.5'"},
    {"data: {path: d.h5, preprocess: {resize: 256px}}", "found '256px'"},
    {"data: {path: d.h5, preprocess: {resize: '256'}}", "found '256'; leave out the quotes"},
    {"data: {path: d.h5, preprocess: {resize: [1]}}", "or none; found a list"},
    {"data: {path: d.h5, preprocess: {crop: 16385}}",
     "data.preprocess.crop: expected whole number from 1 to 16384, or none; found '16385'"},
    {"data: {path: d.h5, preprocess: {resize: 224, crop: 256}}",
     "e.yaml:1:52: data.preprocess: a crop of 256 pixels does not fit into images resized to 224; make crop "
     "at most 224 or resize at least 256"},
    {"data: {path: d.h5, preprocess: {interpolation: bilinaer}}",
     "expected one of bilinear, bicubic; found 'bilinaer'; did you mean 'bilinear'?"},
    {"data: {path: d.h5, preprocess: {mean: 0.5}}",
     "data.preprocess.mean: expected list of 3 numbers from -1000000 to 1000000; found '0.5'; write [a, b, "
     "c]"},
    {"data: {path: d.h5, preprocess: {mean: [1, 2]}}",
     "found a list; write [a, b, c], a number for each channel"},
    {"data: {path: d.h5, preprocess: {mean: [1, x, 2]}}", "found a list; number 2 is 'x'"},
    {"data: {path: d.h5, preprocess: {mean: [1, .inf, 2]}}", "number 2 is '.inf'"},
    {"data: {path: d.h5, preprocess: {std: [1, 1, 0]}}",
     "data.preprocess.std: expected list of 3 numbers from 1e-06 to 1000000; found a list; number 3 is '0'"},
};
TEST(Errors, OfData) {
  expect_explained(kDataCases);
}

const std::vector<BadCase> kHeadCases{
    {"heads: [{name: a, layers: [linear 10]}]",
     "e.yaml:3:9: heads[0]: 'weights' (one file), 'program' (a whole model) or 'glob' (a member for each "
     "file "
     "that matches) is required"},
    {"heads: [{glob: x, weights: y, layers: [linear 10]}]",
     "e.yaml:3:16: heads[0]: 'glob' and 'weights' exclude each other"},
    {"heads: [{glob: x, name: y, layers: [linear 10]}]",
     "e.yaml:3:16: heads[0]: 'glob' and 'name' exclude each other"},
    {"heads: [{weights: a.pth}, {program: b.pt2}]",
     "e.yaml:3:27: heads on a backbone and whole models cannot be members of one ensemble yet"},
    {"heads: [{program: b.pt2}]",
     "e.yaml:2:11: the members are whole models, which have no backbone: leave it out"},
    {"members: [{weights: a.pth}]",
     "e.yaml:4:3: 'heads' and 'members' exclude each other: 'heads' is the old name of 'members'"},
    {"heads: [{weights: a.pth, trunk: skip}]",
     "heads[0].trunk: expected one of compare, ignore; found 'skip'"},
    {"heads: [{weights: a.pth, prefix: [a]}]", "heads[0].prefix: expected text, '' or auto; found a list"},
    {"heads: [{weights: a.pth, rename: {a: [1]}}]",
     "heads[0].rename: expected map of texts, as {fc1: 0}; found a map; 'a' stands for a list"},
    {"heads: [{weights: a.pth, layernorm_eps: 2}]", "heads[0].layernorm_eps: expected number from 0 to 1"},
    {"backbone: {weights: b.pth, batchnorm_eps: -1}", "backbone.batchnorm_eps: expected number from 0 to 1"},
    {"data: {path: d.csv, columns: {paths: x}}",
     "data.columns: unknown option 'paths', did you mean 'path'?"},
    {"data: {path: d.h5, max_bad: 2.5}", "or a number of samples from 2; found '2.5'"},
    {"heads: [{weights: a.pth, layers: []}]",
     "e.yaml:3:34: heads[0].layers: expected list of layers: linear N"},
    {"heads: [{weights: a.pth, layers: linear 10}]",
     "e.yaml:3:34: heads[0].layers: expected list of layers: linear N"},
    {"heads: [{weights: a.pth, layers: [relu]}]",
     "e.yaml:3:34: heads[0].layers: a head needs at least one 'linear N' layer"},
    {"heads: [{weights: a.pth, layers: [linaer 10]}]",
     "e.yaml:3:35: heads[0].layers[0]: expected a layer: linear, relu, gelu, tanh, batchnorm, layernorm, "
     "dropout, flatten; found 'linaer 10'; did you mean 'linear'?"},
    {"heads: [{weights: a.pth, layers: [{linear: 10}]}]",
     "heads[0].layers[0]: expected a layer: linear, relu"},
    {"heads: [{weights: a.pth, layers: [ ' ', linear 10]}]",
     "heads[0].layers[0]: expected a layer: linear, relu"},
    {"heads: [{weights: a.pth, layers: [linear]}]",
     "expected 'linear N' with a whole number of outputs N from 1 to 1000000; found 'linear'"},
    {"heads: [{weights: a.pth, layers: [linear 0]}]", "from 1 to 1000000; found 'linear 0'"},
    {"heads: [{weights: a.pth, layers: [linear 1000001]}]", "from 1 to 1000000; found 'linear 1000001'"},
    {"heads: [{weights: a.pth, layers: [linear 1e3]}]", "from 1 to 1000000; found 'linear 1e3'"},
    {"heads: [{weights: a.pth, layers: [linear 10 10]}]", "from 1 to 1000000; found 'linear 10 10'"},
    {"heads: [{weights: a.pth, layers: [linear 10, relu 5]}]",
     "e.yaml:3:46: heads[0].layers[1]: expected 'relu' with nothing behind it; found 'relu 5'"},
    {"heads: [{weights: a.pth, layers: [linear 10, dropout]}]",
     "expected 'dropout P' with a rate P from 0 to below 1; found 'dropout'"},
    {"heads: [{weights: a.pth, layers: [linear 10, dropout 1]}]", "from 0 to below 1; found 'dropout 1'"},
    {"heads: [{weights: a.pth, layers: [linear 10, dropout -0.1]}]",
     "from 0 to below 1; found 'dropout -0.1'"},
    {"heads: [{weights: a.pth, layers: [linear 10, dropout nan]}]", "from 0 to below 1; found 'dropout nan'"},
    {"heads: [{weights: a.pth, layers: [linear 10], weight: 0}]",
     "heads[0].weight: expected number from 1e-06 to 1000000; found '0'"},
    {"heads: [{weights: a.pth, layers: [linear 10], weight: inf}]",
     "expected number from 1e-06 to 1000000; found 'inf'"},
    {"heads: [{weights: a.pth, layers: [linear 10], weight: -1}]",
     "expected number from 1e-06 to 1000000; found '-1'"},
    {"heads: [{weights: a.pth, layers: [linear 10], wieght: 1}]",
     "e.yaml:3:47: heads[0]: unknown option 'wieght', did you mean 'weight'?"},
    {"heads: [{weights: x/a.pth, layers: [linear 1]}, {weights: y/a.pth, layers: [linear 1]}]",
     "e.yaml:3:59: the name 'a' is already taken by the head at e.yaml:3:19"},
    {"heads: [{name: b, weights: x, layers: [linear 1]}, {name: b, weights: y, layers: [linear 1]}]",
     "e.yaml:3:59: the name 'b' is already taken by the head at e.yaml:3:16"},
    {"heads: [{name: " + std::string(64, 'n') + ", weights: x, layers: [linear 1]}]",
     "is longer than 63 bytes"},
    {R"(heads: [{name: "a\tb", weights: x, layers: [linear 1]}])",
     "heads[0].name: 'a\\x09b' has a control character in it"},
    {R"(heads: [{name: "a\x85", weights: x, layers: [linear 1]}])", "has a control character in it"},
    {"heads: [{weights: " + std::string(64, 'n') + ".pth, layers: [linear 1]}]",
     "would be the head's and is longer than 63 bytes; give the head a 'name'"},
};
TEST(Errors, OfHeads) {
  expect_explained(kHeadCases);
}

const std::vector<BadCase> kOtherCases{
    {"backbone: {weights: b, arch: resnet-18}",
     "expected one of resnet18, resnet34, resnet50; found 'resnet-18'; did you mean 'resnet18'?"},
    {"backbone: {weights: b, precision: bf16}", "backbone.precision: expected fp32; found 'bf16'"},
    {"fusion: {rule: mean-logit}",
     "e.yaml:6:16: fusion.rule: expected one of mean-logits, mean-probabilities"},
    {"fusion: {rule: mean-logit}", "; found 'mean-logit'; did you mean 'mean-logits'?"},
    {"parallel: {strategy: head}",
     "parallel.strategy: expected one of auto, data, heads, grid; found 'head'; did you mean 'heads'?"},
    {"parallel: {strategy: head, grid: {data: 1, heads: 2}}", "found 'head'; did you mean 'heads'?"},
    {"parallel: {strategy: grid}",
     "e.yaml:6:22: parallel: the strategy is grid, so 'grid' is required (grid: {data: D, heads: H}"},
    {"parallel: {strategy: grid, grid: }",
     "e.yaml:6:22: parallel: the strategy is grid, so 'grid' is required"},
    {"parallel: {strategy: heads, grid: {data: 1, heads: 2}}",
     "e.yaml:6:35: parallel: a grid is given, but the strategy is heads; write strategy: grid"},
    {"parallel: {grid: {data: 1, heads: 2}}",
     "e.yaml:6:18: parallel: a grid is given, but the strategy is auto; write strategy: grid"},
    {"parallel: {strategy: grid, grid: {data: 2}}",
     "e.yaml:6:34: parallel.grid: 'heads' is required (whole number from 1 to 65536: Ranks of a group, which "
     "share the heads.)"},
    {"parallel: {strategy: grid, grid: {data: 0, heads: 2}}",
     "e.yaml:6:41: parallel.grid.data: expected whole number from 1 to 65536; found '0'"},
    {"parallel: {strategy: grid, grid: {data: 2, heads: 2.5}}",
     "parallel.grid.heads: expected whole number from 1 to 65536; found '2.5'"},
    {"parallel: {strategy: grid, grid: 2x3}",
     "e.yaml:6:34: parallel.grid: expected a section with the options data, heads; found '2x3'"},
    {"parallel: {strategy: grid, grid: {data: 2, heads: 3, ranks: 6}}",
     "parallel.grid: unknown option 'ranks'. Options of parallel.grid: data, heads"},
    {"parallel: {features: remote}", "parallel.features: expected one of exchange, local; found 'remote'"},
    {"comm: {backend: ncl}",
     "comm.backend: expected one of auto, mpi, nccl; found 'ncl'; did you mean 'nccl'?"},
    {"parallel: {device: tpu}", "parallel.device: expected one of auto, cpu, cuda, gpu; found 'tpu'"},
    {"parallel: {batch: 4097}",
     "parallel.batch: expected whole number from 1 to 4096, or auto; found '4097'"},
    {"parallel: {batch: atuo}", "or auto; found 'atuo'"},
    {"parallel: {threads: 0}", "parallel.threads: expected whole number from 1 to 1024, or auto; found '0'"},
    {"output: {path: o.h5, head_scores: yes}", "output.head_scores: expected true or false; found 'yes'"},
    {"output: {path: o.h5, head_scores: 'true'}", "output.head_scores: expected true or false; found 'true'"},
    {"output: {path: o.h5, uncertainty: marjin}",
     "output.uncertainty: expected margin; found 'marjin'; did you mean 'margin'?"},
    {"output: {path: o.h5, uncertainty: {margin: 1}}", "output.uncertainty: expected list of words: margin"},
    {"output: {path: o.h5, uncertainty: [marjin]}",
     "output.uncertainty[0]: expected margin; found 'marjin'; did you mean 'margin'?"},
    {"output: {path: o.h5, commit_interval: 30}",
     "output.commit_interval: expected duration from 0ms to 1h; found '30'; a unit is needed: h, min, s, ms"},
    {"output: {path: o.h5, commit_interval: 30mins}",
     "unknown unit 'mins', did you mean 'min'? Units: h, min, s, ms"},
    {"output: {path: o.h5, writers: ranks}",
     "output.writers: expected one of coordinator, all; found 'ranks'"},
    {"output: {path: o.h5, commit_interval: s}", "expected duration from 0ms to 1h; found 's'"},
    {"comm: {timeout: 0s}", "comm.timeout: expected duration from 100ms to 24h; found '0s'"},
    {"run: {time_limit: 30}",
     "run.time_limit: expected duration from 1ms to 10000h, or none; found '30'; a unit is needed: h, min, "
     "s, ms"},
    {"run: {time_limit: never}", "expected duration from 1ms to 10000h, or none; found 'never'"},
    {"comm: {timeout: 25h}", "expected duration from 100ms to 24h; found '25h'"},
    {"comm: {timeout: " + std::string(300, 'z') + "}", std::string(60, 'z') + "...'"},
};
TEST(Errors, OfWholeMembers) {
  const std::vector<BadCase> cases{
      {"{program: a.pt2, weights: b.pth}",
       "e.yaml:1:37: members[0]: 'weights' is for members whose weights are given; this member is a whole "
       "model with 'program'"},
      {"{program: a.pt2, arch: resnet18}", "members[0]: 'arch' is for members whose weights are given"},
      {"{program: a.pt2, batchnorm_eps: 0.1}", "'batchnorm_eps' is for members whose weights are given"},
      {"{weights: a.pth, arch: resnet18, prefix: x.}",
       "members[0]: 'prefix' is for heads on a backbone; this member is a whole model with 'arch'"},
      {"{weights: a.pth, arch: resnet18, layers: [linear 5]}", "'layers' is for heads on a backbone"},
      {"{program: b.pt2, glob: x}", "members[0]: 'glob' and 'program' exclude each other"},
      {"{arch: resnet18}", "members[0]: 'weights' (one file), 'program' (a whole model) or 'glob'"},
      {"{program: a.pt2}, {weights: a.pth, layers: [linear 5]}",
       "e.yaml:1:29: heads on a backbone and whole models cannot be members of one ensemble yet"},
      {"{program: a/x.pt2}, {program: b/x.pt2}",
       "e.yaml:1:41: the name 'x' is already taken by the head at e.yaml:1:21"},
      {"{program: a.pt2}]\nparallel: {device: cuda}\nbackbone: [",
       "e.yaml:2:20: members that are whole models are computed on CPUs yet: say cpu, or auto"},
  };
  for (const BadCase& bad : cases) {
    SCOPED_TRACE(bad.line);
    const std::string yaml = "members: [" + bad.line + "]\ndata: {path: d.h5}\noutput: {path: o.h5}\n";
    EXPECT_THAT(error_of(yaml).message, HasSubstr(bad.expected));
  }
}

TEST(Errors, OfOtherSections) {
  expect_explained(kOtherCases);
}

std::string repeated(const std::string& text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

const std::vector<BadCase> kDocuments{
    {"", "e.yaml:1:1: 'members' is required"},
    {"# nothing\n", "data: 'path' is required"},
    {"just a text",
     "e.yaml:1:1: expected a section with the options data, backbone, members, heads, fusion, parallel, "
     "output, comm, "
     "run; "
     "found 'just a text'"},
    {"- a\n- b\n", "e.yaml:1:1: expected a section with the options data, "},
    {"data: [1, 2\n",
     "e.yaml:1:7: malformed YAML: this [ is not closed: its ] is missing (end of sequence flow not found)\n"},
    {"data:\n\t- x\n", "e.yaml:2:1: malformed YAML: this line is indented with a tab"},
    {"a: b: c\n", "e.yaml:1:5: malformed YAML: a second ': ' in one line"},
    {"a: \"\\q\"\n", "(unknown escape character: q)"},
    {"heads:\n  - glob: *.pth\n",
     "e.yaml:2:11: malformed YAML: the referenced anchor is not defined: anchors (&) and aliases (*) are not "
     "supported; put a text that begins with & or * in quotes"},
    {"a: &x 1\nb: *x\n", "e.yaml:1:4: anchors (&) and aliases (*) are not supported"},
    {"a: &x [1]\n", "e.yaml:1:4: anchors (&)"},
    {"a: !!int 5\n", "e.yaml:1:4: YAML tags such as 'tag:yaml.org,2002:int' are not supported"},
    {"? [a]\n: b\n", "e.yaml:1:3: expected a word as the key, found a list"},
    {"~: b\n", "e.yaml:1:1: expected a word as the key, found nothing"},
    {"--- {}\n--- {}\n", "e.yaml:2:1: the YAML document ends before this; a file holds one document"},
    {",", "e.yaml:1:1: the YAML document ends before this"},
    {"a: caf\xE9\n", "e.yaml:1:7: not UTF-8 text: byte 0xe9"},
    {"a:\n  \xC0\xAF", "e.yaml:2:3: not UTF-8 text: byte 0xc0"},
    {"\xED\xA0\x80", "not UTF-8 text: byte 0xed"},
    {"\xF4\x90\x80\x80", "not UTF-8 text: byte 0xf4"},
    {"a: \xE2\x82", "e.yaml:1:4: not UTF-8 text: byte 0xe2"},
    {std::string("\x89HDF\r\n\x1a\n"), "e.yaml:1:1: not UTF-8 text: byte 0x89"},
    {std::string("PK\x03\x04"), "e.yaml:1:3: not a text file: control character 0x03"},
    {std::string("a: b\0c", 6), "e.yaml:1:5: not a text file: control character 0x00"},
    {std::string("\xFF\xFE"
                 "a\0",
                 4),
     "e.yaml:1:1: not UTF-8 text: byte 0xff"},
    {repeated("[", 100'000), "e.yaml:1:33: the document is nested more than 64 levels deep"},
    {repeated("- ", 100'000), "the document is nested more than 64 levels deep"},
    {repeated("{a: ", 100'000), "the document is nested more than 64 levels deep"},
    {repeated("- a\n", 1'000'001), "the document has more than 1000000 values"},
    {std::string(17 << 20, ' '), "the text has 17825792 bytes; a configuration has 16777216 at most"},
};
TEST(Errors, OfDocuments) {
  for (const BadCase& bad : kDocuments) {
    SCOPED_TRACE(bad.line.substr(0, 80));
    const auto error = error_of(bad.line);
    EXPECT_THAT(error.message, HasSubstr(bad.expected));
    EXPECT_EQ(error.code, ExitCode::config);
  }
}

TEST(Errors, AreAllReportedInTheOrderOfTheFile) {
  const std::string yaml =
      "output: {head_scores: maybe}\n"
      "heads:\n"
      "  - {weights: a.pth, layers: [linaer 3, relu]}\n"
      "  - {weights: a.pth, layers: [linear 3], weight: x}\n"
      "bakbone: {}\n";
  EXPECT_EQ(
      error_of(yaml, {"data.pth=x"}).message,
      "e.yaml:1:1: backbone: 'weights' is required (path: File with its weights: safetensors, or a PyTorch "
      "state_dict (.pth).)\n"
      "e.yaml:1:9: output: 'path' is required (path: The HDF5 file that the results are written to.)\n"
      "e.yaml:1:23: output.head_scores: expected true or false; found 'maybe'\n"
      "e.yaml:3:31: heads[0].layers[0]: expected a layer: linear, relu, gelu, tanh, batchnorm, layernorm, "
      "dropout, "
      "flatten; found 'linaer 3'; did you mean 'linear'?\n"
      "e.yaml:4:15: the name 'a' is already taken by the head at e.yaml:3:15; heads need names that differ\n"
      "e.yaml:4:50: heads[1].weight: expected number from 1e-06 to 1000000; found 'x'\n"
      "e.yaml:5:1: unknown option 'bakbone', did you mean 'backbone'? Sections: data, backbone, members, "
      "heads, "
      "fusion, parallel, "
      "output, comm, run\n"
      "--set data.pth=x: data: unknown option 'pth', did you mean 'path'? Options of data: format, path, "
      "root, images, labels, classes, preprocess, max_pixels, max_file_size, workers, max_bad, read_ahead, "
      "columns\n"
      "--set data.pth=x: data: 'path' is required (path: The data set: a folder of images, a CSV or TSV file "
      "of paths and labels, tar shards as x-{000..127}.tar, a CIFAR binary file or an HDF5 file.)");
}

TEST(Errors, ThousandsAreCut) {
  std::string yaml = kSmall;
  for (int i = 0; i < 5000; ++i) yaml += "wrong" + std::to_string(i) + ": 1\n";
  const auto error = error_of(yaml);
  EXPECT_THAT(error.message, HasSubstr("'wrong99'"));
  EXPECT_THAT(error.message, Not(HasSubstr("'wrong100'")));
  EXPECT_THAT(error.message, HasSubstr("\nand 4900 more"));
}

}  // namespace
}  // namespace polyhead::config
