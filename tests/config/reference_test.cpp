#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "polyhead/config/load.hpp"

namespace polyhead::config {
namespace {

using ::testing::HasSubstr;

/// Every option with its type and default, as the reference prints them.
const std::vector<std::string> kOptions{
    "data.format\n    one of auto, image-folder, webdataset, cifar10, cifar100, hdf5; default auto\n    How ",
    "data.path\n    path; required\n",
    "data.images\n    text; default \"images\"\n",
    "data.labels\n    text; default \"labels\"\n",
    "data.preprocess\n    section\n",
    "data.preprocess.resize\n    whole number from 1 to 16384, or none; default none\n",
    "data.preprocess.crop\n    whole number from 1 to 16384, or none; default none\n",
    "data.preprocess.interpolation\n    one of bilinear, bicubic; default bilinear\n",
    "data.preprocess.mean\n    list of 3 numbers from -1000000 to 1000000; default [0, 0, 0]\n",
    "data.preprocess.std\n    list of 3 numbers from 1e-06 to 1000000; default [1, 1, 1]\n",
    "data.max_bad\n    share below 1, from 0% to 100%, or a number of samples from 2; default 0.001\n",
    "data.read_ahead\n    size from 0B to 1TiB; default 64MiB\n",
    "backbone.arch\n    one of resnet18, resnet34, resnet50; default resnet18\n",
    "backbone.weights\n    path; required\n",
    "backbone.precision\n    fp32; default fp32\n",
    "backbone.engine\n    one of auto, winograd, libtorch; default auto\n",
    "members\n    list of at least one head; required\n",
    "heads\n    list of at least one head; default none\n    The old name of members.\n",
    "members[].name\n    text of at most 63 bytes; default the weights file's name without its suffix\n",
    "members[].weights\n    path; default none\n",
    "members[].glob\n    path with *, ? or [...]; default none\n",
    "dropout P (0 <= P < 1), flatten; default found out\n",
    "members[].weight\n    number from 1e-06 to 1000000; default 1\n",
    "fusion.rule\n    one of mean-logits, mean-probabilities",
    "; default mean-logits\n",
    "parallel.strategy\n    one of auto, data, heads, grid; default auto\n",
    "parallel.grid\n    section\n",
    "parallel.grid.data\n    whole number from 1 to 65536; required\n",
    "parallel.grid.heads\n    whole number from 1 to 65536; required\n",
    "parallel.features\n    one of exchange, local; default exchange\n",
    "parallel.batch\n    whole number from 1 to 4096, or auto; default auto\n",
    "parallel.threads\n    whole number from 1 to 1024, or auto; default auto\n",
    "parallel.device\n    one of auto, cpu, cuda, gpu; default auto\n",
    "output.path\n    path; required\n",
    "output.head_scores\n    true or false; default false\n",
    "output.commit_interval\n    duration from 0ms to 1h; default 5s\n",
    "output.writers\n    one of coordinator, all; default coordinator\n",
    "output.cache\n    one of none, features; default none\n",
    "comm.backend\n    one of auto, mpi, nccl; default auto\n",
    "comm.timeout\n    duration from 100ms to 24h; default 1min\n",
};

TEST(Reference, NamesEveryOptionWithTypeAndDefault) {
  const std::string text = reference();
  for (const std::string& option : kOptions) EXPECT_THAT(text, HasSubstr(option));
}

}  // namespace
}  // namespace polyhead::config
