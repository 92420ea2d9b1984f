#include "polyhead/model/pickle.hpp"

#include <random>

#include <gmock/gmock.h>

#include "mutate.hpp"
#include "pickle_writer.hpp"
#include "support.hpp"

namespace polyhead::model::pickle {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::string_literals;
using namespace polyhead::testing::pickled;

Document read(const std::string& pickle) {
  return parse(std::as_bytes(std::span(pickle.data(), pickle.size())), "x.pth");
}

std::string refusal(const std::string& pickle) {
  const auto [code, text] = polyhead::testing::error_of([&] { return read(pickle); });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_THAT(text, ::testing::StartsWith("x.pth: "));
  return text;
}

template <class T>
T only(const std::string& object) {
  const Document document = read(whole(object));
  return std::get<T>(document.objects[document.root]);
}

TEST(Pickle, ReadsNumbersAndTexts) {
  EXPECT_EQ(only<bool>("\x88"), true);
  EXPECT_EQ(only<bool>("\x89"), false);
  EXPECT_NO_THROW(only<None>("N"));
  EXPECT_EQ(only<std::int64_t>("K\xff"), 255);
  EXPECT_EQ(only<std::int64_t>("M\x01\x02"), 513);
  EXPECT_EQ(only<std::int64_t>("J\xfe\xff\xff\xff"), -2);
  EXPECT_EQ(only<std::int64_t>(std::string("\x8a\x00", 2)), 0);
  EXPECT_EQ(only<std::int64_t>("\x8a\x01\xff"), -1);
  EXPECT_EQ(only<std::int64_t>(std::string("\x8a\x02\xff\x00", 4)), 255);
  EXPECT_EQ(only<std::int64_t>(std::string("\x8b\x01\x00\x00\x00\x05", 6)), 5);
  EXPECT_NO_THROW(only<None>("\x8a\x09"s + std::string(9, '\x7f')));  // a seed beyond 64 bits is not needed
  EXPECT_EQ(only<double>(std::string("G\x3f\xf8\0\0\0\0\0\0", 9)), 1.5);
  EXPECT_EQ(only<std::string>(text("conv1.weight")), "conv1.weight");
  EXPECT_EQ(only<std::string>("\x8c\x02hi"), "hi");
  EXPECT_EQ(only<std::string>("\x8d" + polyhead::testing::le(std::uint64_t{2}) + "hi"), "hi");
}

TEST(Pickle, ReadsContainers) {
  EXPECT_EQ(only<Tuple>(tuple("NNN")).items.size(), 3U);
  EXPECT_EQ(only<Tuple>("NN\x86").items.size(), 2U);
  EXPECT_EQ(only<List>("](NNe").items.size(), 2U);
  EXPECT_EQ(only<List>("]Na").items.size(), 1U);
  EXPECT_EQ(only<Dict>(dict(text("a") + "N" + text("b") + "N")).items.size(), 2U);
  EXPECT_EQ(only<Dict>("}" + text("a") + "Ns").items.size(), 1U);
  const std::string metadata = dict(text("_metadata") + "}");
  EXPECT_EQ(only<Dict>(global("collections", "OrderedDict") + ")R" + metadata + "b").items.size(), 0U);
  EXPECT_EQ(only<Tuple>(call(global("torch", "Size"), integers({2, 3}))).items.size(), 2U);
}

TEST(Pickle, RemembersObjects) {
  EXPECT_EQ(only<Tuple>("(" + text("a") + "q\x05h\x05t").items.size(), 2U);
  EXPECT_EQ(
      only<std::string>(text("a") + std::string("r\1\1\0\0", 5) + text("b") + std::string("j\1\1\0\0", 5)),
      "a");
  EXPECT_EQ(only<std::string>("\x95"s + std::string(8, '\0') + text("a") + "\x94" + text("b") +
                              std::string("h\0", 2)),
            "a");
}

TEST(Pickle, DescribesTensors) {
  const Document document = read(whole(tensor({"7", "HalfStorage", 12, 2, {2, 3}, {1, 2}})));
  const auto& found = std::get<Tensor>(document.objects[document.root]);
  EXPECT_EQ(std::get<std::string>(document.objects[found.storage.key]), "7");
  EXPECT_EQ(found.storage.type, ElementType::f16);
  EXPECT_EQ(found.storage.elements, 12);
  EXPECT_EQ(found.offset, 2);
  EXPECT_THAT(found.shape, ElementsAre(2, 3));
  EXPECT_THAT(found.strides, ElementsAre(1, 2));
  const std::string parameter = call(global("torch._utils", "_rebuild_parameter"), tensor() + "\x88}");
  EXPECT_THAT(only<Tensor>(parameter).shape, ElementsAre(2, 3));
}

TEST(Pickle, RefusesCodeByName) {
  const std::string advice = "only tensors and containers are read; save model.state_dict()";
  EXPECT_EQ(refusal(whole(call(global("os", "system"), text("touch /tmp/x")))),
            "x.pth: refuses to load 'os.system': " + advice + " (position 2 of data.pkl)");
  EXPECT_THAT(refusal(whole(text("os") + text("system") + "\x93" + tuple(text("id")) + "R")),
              HasSubstr("refuses to load 'os.system'"));
  EXPECT_THAT(refusal(whole(call(global("builtins", "eval"), text("1")))), HasSubstr("'builtins.eval'"));
  EXPECT_THAT(refusal(whole("(" + text("id") + "ios\nsystem\n")), HasSubstr("refuses to load 'os.system'"));
  EXPECT_THAT(refusal(whole(dict(text("a") + "](" + call(global("posix", "system"), text("id")) + "e"))),
              HasSubstr("'posix.system'"));
  EXPECT_THAT(refusal(whole(global("torchvision.models.resnet", "ResNet") + ")\x81")),
              HasSubstr("'torchvision.models.resnet.ResNet'"));
  EXPECT_THAT(refusal(whole(global("torch._utils", "_rebuild_sparse_tensor"))),
              HasSubstr("'torch._utils._rebuild_sparse_tensor'"));
  EXPECT_THAT(refusal(whole(global("torch._utils", "_rebuild_qtensor"))),
              HasSubstr("'torch._utils._rebuild_qtensor'"));
  EXPECT_THAT(refusal(whole(global("torch", "QInt8Storage"))), HasSubstr("'torch.QInt8Storage'"));
  EXPECT_THAT(refusal(whole(global("os\x1b[2J", "x"))), HasSubstr(R"('os\x1b[2J.x')"));
}

TEST(Pickle, RefusesOpcodesByName) {
  const std::string allowed = global("collections", "OrderedDict");
  EXPECT_THAT(refusal(whole(allowed + ")\x81")), HasSubstr("the opcode NEWOBJ: only tensors"));
  EXPECT_THAT(refusal(whole(allowed + ")}\x92")), HasSubstr("the opcode NEWOBJ_EX"));
  EXPECT_THAT(refusal(whole("(" + allowed + "o")), HasSubstr("the opcode OBJ"));
  EXPECT_THAT(refusal(whole("\x82\x01")), HasSubstr("the opcode EXT1"));
  EXPECT_THAT(refusal(whole("\x83\x01")), HasSubstr("the opcode EXT2"));
  EXPECT_THAT(refusal(whole("\x84\x01")), HasSubstr("the opcode EXT4"));
  EXPECT_THAT(refusal(whole("P0\n")), HasSubstr("the opcode PERSID"));
  EXPECT_THAT(refusal(whole("\xfe")), HasSubstr("unexpected opcode 0xfe"));
  EXPECT_THAT(refusal("\x80\x09."), HasSubstr("the pickle's protocol is not known"));
}

TEST(Pickle, RefusesMisusedOpcodes) {
  EXPECT_THAT(refusal(""), HasSubstr("the pickle ends early"));
  EXPECT_THAT(refusal(whole("")), HasSubstr("takes from an empty stack"));
  EXPECT_THAT(refusal(whole("t")), HasSubstr("a mark is missing"));
  EXPECT_THAT(refusal(whole("N(\x85")), HasSubstr("takes from an empty stack"));
  EXPECT_THAT(refusal(whole("h\x05")), HasSubstr("it recalls what it never stored"));
  EXPECT_THAT(refusal(whole("NNa")), HasSubstr("expected a list to append to"));
  EXPECT_THAT(refusal(whole("}(Nu")), HasSubstr("expected a dict and pairs to set in it"));
  EXPECT_THAT(refusal(whole("N}b")), HasSubstr("expected an OrderedDict to set attributes of"));
  EXPECT_THAT(refusal(whole("NQ")), HasSubstr("expected a storage's description"));
  EXPECT_THAT(refusal(whole(tuple(text("module") + "NNNN") + "Q")),
              HasSubstr("expected ('storage', class, key"));
  EXPECT_THAT(refusal(whole("N)R")), HasSubstr("expected something that may be called"));
  EXPECT_THAT(refusal(whole(global("collections", "OrderedDict") + "NR")), HasSubstr("a tuple of arguments"));
  EXPECT_THAT(refusal(whole(call(global("collections", "OrderedDict"), "]"))),
              HasSubstr("unexpected number of arguments"));
  EXPECT_THAT(refusal(whole(call(global("torch._utils", "_rebuild_tensor_v2"), "NNNNNN"))),
              HasSubstr("expected a storage"));
  EXPECT_THAT(refusal(whole(tensor({"0", "FloatStorage", 6, 0, std::vector<std::int64_t>(17, 1)}))),
              HasSubstr("a tensor has 17 dimensions"));
  EXPECT_THAT(refusal(whole("cos")), HasSubstr("the pickle ends early"));
  EXPECT_THAT(refusal("\x80\x02X\xff\xff\xff\xffhi."), HasSubstr("the pickle ends early"));
  EXPECT_THAT(refusal("\x80\x02\x8d"s + std::string(8, '\xff') + "hi."), HasSubstr("the pickle ends early"));
}

TEST(Pickle, DepthAndCyclesDoNoHarm) {
  const std::size_t deep = 1'000'000;
  EXPECT_EQ(only<Tuple>("N"s + std::string(deep, '\x85')).items.size(), 1U);
  EXPECT_EQ(only<List>("]q\x01h\x01"
                       "a")
                .items.size(),
            1U);  // a list that holds itself
  EXPECT_THAT(refusal(whole(std::string(std::size_t{9} << 20U, 'N'))),
              HasSubstr("holds more than 8000000 objects"));
}

std::string state_dict() {
  return whole(global("collections", "OrderedDict") + ")R(" + text("0.weight") + tensor() + text("0.bias") +
               tensor({"1", "FloatStorage", 2, 0, {2}, {1}}) + "u" + dict(text("_metadata") + "}") + "b");
}

TEST(Pickle, EveryTruncationIsAnError) {
  const std::string pickle = state_dict();
  EXPECT_NO_THROW(read(pickle));
  for (std::size_t size = 0; size < pickle.size(); ++size) refusal(pickle.substr(0, size));
}

TEST(Pickle, DamageEndsInAnError) {
  const std::string pickle = state_dict();
  std::mt19937 random(2);  // the same damage every time
  for (int i = 0; i < 20'000; ++i) {
    std::string damaged = pickle;
    for (int times = 1 + i % 3; times > 0 && !damaged.empty(); --times) {
      damaged = polyhead::testing::mutate(damaged, random);
    }
    try {
      read(damaged);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::bad_data) << error.what();
    }
  }
}

}  // namespace
}  // namespace polyhead::model::pickle
