#include <random>

#include <gmock/gmock.h>

#include "mutate.hpp"
#include "pickle_writer.hpp"
#include "polyhead/checkpoint/checkpoint.hpp"
#include "support.hpp"
#include "zip_writer.hpp"

namespace polyhead::checkpoint {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace polyhead::testing::pickled;
using polyhead::testing::zip;
using polyhead::testing::ZipEntry;

std::string floats(int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i) bytes += polyhead::testing::le(static_cast<float>(i));
  return bytes;
}

/// A file as `torch.save` writes it: `object` pickled, six floats 0 to 5 in storage 0, and what is added.
std::string archive(const std::string& object, const std::vector<ZipEntry>& more = {}) {
  std::vector<ZipEntry> entries{{"x/data.pkl", whole(object)}, {"x/data/0", floats(6)}};
  entries.insert(entries.end(), more.begin(), more.end());
  return zip(entries);
}

Checkpoint read(const std::string& bytes) {
  const polyhead::testing::TemporaryFolder folder;
  return read_pth(folder.write("x.pth", bytes));
}

std::string refusal(const std::string& bytes) {
  const polyhead::testing::TemporaryFolder folder;
  const auto path = folder.write("x.pth", bytes);
  const auto [code, text] = polyhead::testing::error_of([&] { return read_pth(path); });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_THAT(text, ::testing::StartsWith(path.string() + ": "));
  return text;
}

std::string refused_tensor(const TensorText& t) {
  return refusal(archive(dict(text("w") + tensor(t))));
}

TEST(Pth, ReadsStridedViews) {
  const Checkpoint tensors =
      read(archive(dict(text("transposed") + tensor({"0", "FloatStorage", 6, 0, {3, 2}, {1, 3}}) +
                        text("column") + tensor({"0", "FloatStorage", 6, 1, {2}, {3}}) + text("slice") +
                        tensor({"0", "FloatStorage", 6, 3, {1, 3}, {99, 1}}) + text("scalar") +
                        tensor({"0", "FloatStorage", 6, 5, {}, {}}) + text("empty") +
                        tensor({"0", "FloatStorage", 6, 0, {0, 4}, {4, 1}}))));
  ASSERT_EQ(tensors.size(), 5U);
  EXPECT_THAT(tensors[0].values, ElementsAre(0, 3, 1, 4, 2, 5));
  EXPECT_THAT(tensors[0].shape, ElementsAre(3, 2));
  EXPECT_THAT(tensors[1].values, ElementsAre(1, 4));
  EXPECT_THAT(tensors[2].values, ElementsAre(3, 4, 5));
  EXPECT_THAT(tensors[3].values, ElementsAre(5));
  EXPECT_THAT(tensors[4].values, ElementsAre());
}

TEST(Pth, OpensWrappers) {
  for (const char* wrapper : {"state_dict", "model_state_dict", "model", "net", "module"}) {
    const std::string inner = dict(text("w") + tensor());
    const Checkpoint tensors = read(archive(dict(text("epoch") + integer(3) + text(wrapper) + inner)));
    ASSERT_EQ(tensors.size(), 1U) << wrapper;
    EXPECT_EQ(tensors[0].name, "w");
  }
  const std::string twice = dict(text("model") + dict(text("state_dict") + dict(text("w") + tensor())));
  EXPECT_EQ(read(archive(twice)).size(), 1U);
}

TEST(Pth, RefusesTensorsOutsideTheirStorage) {
  EXPECT_THAT(refused_tensor({"0", "FloatStorage", 6, 0, {7}, {1}}),
              HasSubstr("tensor 'w': shape [7] with strides [1] at offset 0 reaches outside its storage of 6 "
                        "elements"));
  EXPECT_THAT(refused_tensor({"0", "FloatStorage", 6, 1, {6}, {1}}), HasSubstr("reaches outside"));
  EXPECT_THAT(refused_tensor({"0", "FloatStorage", 6, -1, {2}, {1}}),
              HasSubstr("a tensor's offset is not possible"));
  EXPECT_THAT(refused_tensor({"0", "FloatStorage", 6, 5, {2}, {-1}}), HasSubstr("reaches outside"));
  EXPECT_THAT(refused_tensor({"0", "FloatStorage", -6, 0, {2}, {1}}), HasSubstr("reaches outside"));
  EXPECT_THAT(refused_tensor({"0", "FloatStorage", 6, INT64_MAX, {2}, {1}}), HasSubstr("reaches outside"));
  EXPECT_THAT(refused_tensor({"0", "FloatStorage", INT64_MAX, 0, {3, 2}, {INT64_MAX, 1}}),
              HasSubstr("reaches outside"));
  EXPECT_THAT(refused_tensor({"0", "FloatStorage", INT64_MIN, INT64_MAX, {2}, {1}}),
              HasSubstr("reaches outside"));
  EXPECT_THAT(refused_tensor({"0", "FloatStorage", 6, 0, {-2}, {1}}), HasSubstr("is not possible"));
  EXPECT_THAT(refused_tensor({"0", "FloatStorage", 6, 0, {INT64_MAX, 4}, {1, 1}}),
              HasSubstr("is not possible"));
  EXPECT_THAT(refused_tensor({"0", "FloatStorage", 6, 0, {2, 3}, {1}}), HasSubstr("is not possible"));
}

TEST(Pth, RepeatsElementsWithinBounds) {
  const Checkpoint tensors =
      read(archive(dict(text("expanded") + tensor({"0", "FloatStorage", 6, 4, {3, 2}, {0, 1}}) +
                        text("windows") + tensor({"0", "FloatStorage", 6, 0, {2, 3}, {1, 1}}))));
  ASSERT_EQ(tensors.size(), 2U);
  EXPECT_THAT(tensors[0].values, ElementsAre(4, 5, 4, 5, 4, 5));
  EXPECT_THAT(tensors[1].values, ElementsAre(0, 1, 2, 1, 2, 3));
  const std::string bomb =
      "the tensors share or repeat their storages so often that they take many times the file's size";
  EXPECT_THAT(refused_tensor({"0", "FloatStorage", 6, 0, {1'000'000'000}, {0}}), HasSubstr(bomb));
  EXPECT_THAT(refused_tensor({"0", "FloatStorage", 6, 0, {INT64_MAX}, {0}}), HasSubstr(bomb));
}

TEST(Pth, WhatIsNoTensorIsAProblemOnlyOfItsName) {
  const std::string array =
      call(global("numpy.core.multiarray", "_reconstruct"), global("numpy", "ndarray") + "NN");
  const Checkpoint tensors =
      read(archive(dict(text("w") + tensor() + text("a") + array + text("n") + "N" + text("s") +
                        tensor({"0", "ComplexFloatStorage", 3, 0, {3}, {1}}))));
  ASSERT_EQ(tensors.size(), 4U);
  EXPECT_EQ(tensors[0].problem, "");
  EXPECT_EQ(tensors[1].problem, "is a numpy.ndarray, not a tensor: save torch.from_numpy(...) of it");
  EXPECT_THAT(tensors[1].shape, ElementsAre(0));
  EXPECT_EQ(tensors[2].problem, "is a NoneType, not a tensor");
  EXPECT_THAT(tensors[3].problem, HasSubstr("is a torch.ComplexFloatStorage, which polyhead does not read"));
}

std::string module_of(const std::string& name) {
  return global("my.nets", name) + ")\x81" + dict(text("training") + "\x88" + text("_modules") + "}") + "b";
}

TEST(Pth, WholeModelsAreNamed) {
  const std::string advice =
      "holds a whole model (an object of my.nets.Net), which only the program that wrote it could load: load "
      "it there and "
      "torch.save(model.state_dict(), FILE)";
  EXPECT_THAT(refusal(archive(module_of("Net"))), HasSubstr(advice));
  const std::string optimizer = text("optimizer") + dict(text("state") + "}");
  EXPECT_THAT(refusal(archive(dict(optimizer + text("model") + module_of("Net")))), HasSubstr(advice));
  EXPECT_THAT(
      refusal(archive(global("argparse", "Namespace") + ")\x81" + dict(text("lr") + "N") + "b")),
      HasSubstr("holds an object of argparse.Namespace, not a dict of tensors: save model.state_dict()"));
  const std::string beside =
      dict(text("net") + module_of("Net") + text("state_dict") + dict(text("w") + tensor()));
  EXPECT_EQ(read(archive(beside)).size(), 1U);
}

TEST(Pth, ReadsDeflatedStorages) {
  const std::string packed = "\x01" + polyhead::testing::le(std::uint16_t{24}) +
                             polyhead::testing::le(static_cast<std::uint16_t>(~24U)) + floats(6);
  std::string bytes = zip({{"x/data.pkl", whole(dict(text("w") + tensor() + text("v") + tensor()))},
                           {"x/data/0", packed, false, 0, 8}});
  bytes.replace(bytes.rfind("PK\x01\x02") + 24, 4, polyhead::testing::le(std::uint32_t{24}));
  const Checkpoint tensors = read(bytes);
  ASSERT_EQ(tensors.size(), 2U);
  EXPECT_THAT(tensors[0].values, ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_EQ(tensors[1].values, tensors[0].values);
}

std::string storage_tuple(const std::string& key, const std::string& more) {
  return tuple(text("storage") + global("torch", "FloatStorage") + text(key) + text("cpu") + integer(6) +
               more) +
         "Q";
}
std::string old_tensor(const std::string& storage) {
  return call(global("torch._utils", "_rebuild_tensor"),
              storage + integer(1) + integers({2}) + integers({1}));
}

/// A file as PyTorch wrote it before 1.6, with six floats in storage "k".
std::string legacy(const std::string& object, const std::string& version = integer(1001),
                   const std::string& machine = dict(text("little_endian") + "\x88"),
                   const std::string& keys = "](" + text("k") + "e") {
  const std::string magic("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19");
  return whole(magic) + whole(version) + whole(machine) + whole(object) + whole(keys) +
         polyhead::testing::le(std::uint64_t{6}) + floats(6);
}

TEST(LegacyPth, ReadsTensorsAndViewsOfStorages) {
  const Checkpoint tensors =
      read(legacy(dict(text("plain") + old_tensor(storage_tuple("k", "N")) + text("view") +
                       old_tensor(storage_tuple("k", tuple(text("v") + integer(2) + integer(3)))))));
  ASSERT_EQ(tensors.size(), 2U);
  EXPECT_THAT(tensors[0].values, ElementsAre(1, 2));
  EXPECT_THAT(tensors[1].values, ElementsAre(3, 4));
}

TEST(LegacyPth, DamageIsNamed) {
  const std::string good = dict(text("w") + old_tensor(storage_tuple("k", "N")));
  EXPECT_THAT(refusal(legacy(good, integer(1000))),
              HasSubstr("from before 1.6, but not in its version 1001"));
  EXPECT_THAT(refusal(legacy(good, integer(1001), dict(text("little_endian") + "\x89"))),
              HasSubstr("was saved on a big-endian machine"));
  EXPECT_THAT(refusal(legacy(good, integer(1001), "}", "N")),
              HasSubstr("the list of its storages is missing"));
  EXPECT_THAT(refusal(legacy(good, integer(1001), "}", "](" + text("x") + "e")),
              HasSubstr("it has a storage that no tensor uses"));
  EXPECT_THAT(refusal(legacy(good, integer(1001), "}", "](" + text("k") + text("k") + "e")),
              HasSubstr("ends within its storage 'k': is it truncated?"));
  EXPECT_THAT(refusal(legacy(good, integer(1001), "}", "]")),
              HasSubstr("its storage 'k' is not in the file"));
  const std::string outside = old_tensor(storage_tuple("k", tuple(text("v") + integer(4) + integer(3))));
  EXPECT_THAT(refusal(legacy(dict(text("w") + outside))), HasSubstr("a view reaches outside its storage"));
  const std::string whole_file = legacy(good);
  for (std::size_t size = 20; size < whole_file.size(); ++size) {
    const std::string cut = whole_file.substr(0, size);
    EXPECT_THAT(refusal(cut), ::testing::AnyOf(HasSubstr("ends early"), HasSubstr("ends within"))) << size;
  }
}

TEST(Pth, RefusesStoragesThatAreNotThere) {
  EXPECT_THAT(refused_tensor({"9"}), HasSubstr("tensor 'w': its storage 'x/data/9' is not in the file"));
  EXPECT_THAT(refused_tensor({"0", "FloatStorage", 1000}),
              HasSubstr("its storage 'x/data/0' has 24 bytes, expected 1000 elements of 4 bytes"));
  EXPECT_THAT(refused_tensor({"0", "DoubleStorage", 6}), HasSubstr("expected 6 elements of 8 bytes"));
}

TEST(Pth, ASmallFileCannotFillTheMemory) {
  std::string pairs;
  for (int i = 0; i < 250; ++i)
    pairs += text(fmt::format("w{}", i)) + tensor({"1", "FloatStorage", 100'000, 0, {100'000}, {1}});
  EXPECT_THAT(
      refusal(archive(dict(pairs), {{"x/data/1", floats(100'000)}})),
      HasSubstr(
          "the tensors share or repeat their storages so often that they take many times the file's size"));
}

TEST(Pth, RefusesWhatIsNoStateDict) {
  EXPECT_THAT(refusal(archive("N")), HasSubstr("does not hold a dict; save model.state_dict()"));
  EXPECT_THAT(refusal(archive(tensor())), HasSubstr("does not hold a dict"));
  EXPECT_THAT(refusal(archive("}")), HasSubstr("holds no tensors under its keys (none)"));
  EXPECT_THAT(refusal(archive(dict(text("epoch") + integer(3) + text("lr") + "N"))),
              HasSubstr("holds no tensors under its keys (epoch, lr)"));
  EXPECT_THAT(refusal(archive(dict(integer(3) + tensor()))), HasSubstr("a tensor whose name is not a text"));
  EXPECT_THAT(refusal(archive(dict(text("w") + tensor() + text("w") + tensor()))),
              HasSubstr("has 'w' twice"));
  EXPECT_THAT(refusal(archive(call(global("os", "system"), text("id")))),
              HasSubstr("holds an object of os.system, not a dict of tensors"));
}

TEST(Pth, RefusesOtherArchives) {
  const std::string good = dict(text("w") + tensor());
  EXPECT_THAT(refusal(zip({{"word/document.xml", "<w/>"}})),
              HasSubstr("not one of torch.save: it has no data.pkl"));
  EXPECT_THAT(refusal(archive(good, {{"y/data.pkl", "x"}})), HasSubstr("a zip file with several data.pkl"));
  EXPECT_THAT(refusal(archive(good, {{"x/constants.pkl", "x"}})), HasSubstr("is a TorchScript archive"));
  EXPECT_THAT(refusal(archive(good, {{"x/byteorder", "big"}})),
              HasSubstr("was saved with the byte order 'big', expected 'little'"));
  EXPECT_THAT(refusal(archive(good, {{"x/byteorder", std::string(1000, 'b')}})), HasSubstr("byte order ''"));
  EXPECT_NO_THROW(read(archive(good, {{"x/byteorder", "little"}})));
  const std::string huge((std::size_t{32} << 20U) + 1, 'N');
  EXPECT_THAT(refusal(zip({{"x/data.pkl", huge}})),
              HasSubstr("has a data.pkl of 32.0 MiB, more than 32.0 MiB"));
}

TEST(Pth, DamagedFilesEndInAnError) {
  const polyhead::testing::TemporaryFolder folder;
  const std::string pickle =
      whole(dict(text("a") + tensor() + text("b") + tensor({"0", "FloatStorage", 6, 0, {3, 2}, {1, 3}})));
  // Without checksums, so that the damage gets past them.
  const std::string file = zip({{"x/data.pkl", pickle, false}, {"x/data/0", floats(6), false}});
  std::mt19937 random(3);  // the same damage every time
  int readable = 0;
  for (int i = 0; i < 4000; ++i) {
    const auto path = folder.write("x.pth", polyhead::testing::mutate(file, random));
    try {
      read_pth(path);
      ++readable;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::bad_data) << error.what();
    }
  }
  EXPECT_GT(readable, 0);
  EXPECT_LT(readable, 3000);
}

}  // namespace
}  // namespace polyhead::checkpoint
