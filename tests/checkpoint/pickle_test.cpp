#include "polyhead/checkpoint/pickle.hpp"

#include <filesystem>
#include <random>

#include <gmock/gmock.h>

#include "mutate.hpp"
#include "pickle_writer.hpp"
#include "support.hpp"

namespace polyhead::checkpoint::pickle {
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

/// The type of an object that is not read.
std::string opaque(const std::string& object) {
  const Document document = read(whole(object));
  EXPECT_TRUE(std::holds_alternative<Opaque>(document.objects[document.root])) << object;
  return type_name(document, document.root);
}

TEST(Pickle, WhatItDoesNotKnowIsInert) {
  const std::string file = ::testing::TempDir() + "polyhead-executed";
  const std::string touch = text("touch " + file);
  EXPECT_EQ(opaque(call(global("os", "system"), touch)), "os.system");
  EXPECT_EQ(opaque(text("os") + text("system") + "\x93" + tuple(touch) + "R"), "os.system");
  EXPECT_EQ(opaque("(" + touch + "ios\nsystem\n"), "os.system");
  EXPECT_EQ(opaque("(" + global("posix", "system") + touch + "o"), "posix.system");
  EXPECT_EQ(opaque(global("subprocess", "Popen") + tuple(touch) + "\x81"), "subprocess.Popen");
  EXPECT_EQ(opaque(global("subprocess", "Popen") + tuple(touch) + dict(text("shell") + "\x88") + "\x92"),
            "subprocess.Popen");
  EXPECT_EQ(opaque(call(call(global("builtins", "getattr"), global("os", "path") + touch), touch)),
            "getattr");
  EXPECT_EQ(opaque(call(global("__builtin__", "eval"), text("1"))), "eval");
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_EQ(opaque(global("os\x1b[2J", "x") + ")R"), R"(os\x1b[2J.x)");
  EXPECT_EQ(opaque(global(std::string(1000, 'm'), "x") + ")R"), std::string(120, 'm') + "...");
}

TEST(Pickle, BookkeepingIsInert) {
  EXPECT_EQ(opaque(global("argparse", "Namespace") + ")\x81" + dict(text("lr") + "N") + "b"),
            "argparse.Namespace");
  EXPECT_EQ(opaque(call(global("copy_reg", "_reconstructor"),
                        global("my", "Config") + global("__builtin__", "object") + "N")),
            "my.Config");
  EXPECT_EQ(opaque(call(global("numpy._core.multiarray", "_reconstruct"), global("numpy", "ndarray") + "NN") +
                   "Nb"),
            "numpy.ndarray");
  EXPECT_EQ(opaque(call(global("numpy.core.multiarray", "scalar"), "NN")), "numpy.core.multiarray.scalar");
  EXPECT_EQ(opaque(call(global("__builtin__", "set"), "]")), "set");
  EXPECT_EQ(opaque("\x8f(NN\x90"), "set");
  EXPECT_EQ(opaque("(NN\x91"), "frozenset");
  EXPECT_EQ(opaque("C\x02hi"), "bytes");
  EXPECT_EQ(opaque(std::string("B\x02\0\0\0hi", 7)), "bytes");
  EXPECT_EQ(opaque("\x8e" + polyhead::testing::le(std::uint64_t{2}) + "hi"), "bytes");
  EXPECT_EQ(opaque("\x96" + polyhead::testing::le(std::uint64_t{2}) + "hi"), "bytearray");
  EXPECT_EQ(opaque(call(global("_codecs", "encode"), text("hi") + text("latin1"))), "bytes");
  EXPECT_EQ(opaque(call(global("torch", "device"), text("cuda"))), "torch.device");
  // A dict or list of a class of its own takes items, and keeps none.
  EXPECT_EQ(opaque(global("my", "Config") + ")\x81(" + text("a") + "Nu" + "NNs"), "my.Config");
  EXPECT_EQ(opaque(global("my", "Items") + ")\x81(NNeNa"), "my.Items");
  EXPECT_NO_THROW(only<Global>(global("torch", "float32")));
}

TEST(Pickle, KindsOfDicts) {
  EXPECT_EQ(
      only<Dict>(call(global("collections", "defaultdict"), global("builtins", "list")) + text("a") + "Ns")
          .items.size(),
      1U);
  EXPECT_EQ(only<Dict>(call(global("collections", "Counter"), dict(text("a") + "K\x02"))).items.size(), 1U);
  const std::string pair = "](" + text("a") + "Ne";  // as Python 2 wrote it
  EXPECT_EQ(only<Dict>(call(global("collections", "OrderedDict"), "](" + pair + pair + "e")).items.size(),
            2U);
  EXPECT_THAT(refusal(whole(call(global("collections", "OrderedDict"), "](Ne"))),
              HasSubstr("expected pairs"));
  EXPECT_EQ(only<Dict>("(" + text("a") + "Nd").items.size(), 1U);
  EXPECT_EQ(only<List>("(NNl").items.size(), 2U);
}

TEST(Pickle, OldProtocols) {
  EXPECT_EQ(only<std::int64_t>("I42\n"), 42);
  EXPECT_EQ(only<bool>("I01\n"), true);
  EXPECT_EQ(only<std::int64_t>("L-7L\n"), -7);
  EXPECT_NO_THROW(only<None>("L99999999999999999999L\n"));
  EXPECT_EQ(only<double>("F1.5\n"), 1.5);
  EXPECT_EQ(only<std::string>("S'fc.weight'\n"), "fc.weight");
  EXPECT_EQ(only<std::string>("Vfc.weight\n"), "fc.weight");
  EXPECT_EQ(only<std::string>("U\x02hi"), "hi");
  EXPECT_EQ(only<std::string>(std::string("T\x02\0\0\0hi", 7)), "hi");
  EXPECT_EQ(only<std::string>("Va\np12\n0Vb\n0g12\n"), "a");
  EXPECT_EQ(only<Tuple>("Va\n2\x86").items.size(), 2U);
  EXPECT_EQ(only<std::string>("Va\n(NN1"), "a");
  EXPECT_EQ(only<std::string>("Va\n(0"), "a");
  EXPECT_THAT(refusal(whole("Ix\n")), HasSubstr("expected a whole number"));
  EXPECT_THAT(refusal(whole("Fx\n")), HasSubstr("expected a number"));
  EXPECT_THAT(refusal(whole("Npx\n")), HasSubstr("expected a whole number"));
  EXPECT_EQ(std::get<std::string>(read("Va\n.").objects[0]), "a");  // protocol 0 has no header
}

std::string typed_tensor(const std::string& dtype) {
  const std::string storage = tuple(text("storage") + global("torch.storage", "UntypedStorage") + text("0") +
                                    text("cpu") + integer(24)) +
                              "Q";
  return call(global("torch._utils", "_rebuild_tensor_v3"),
              storage + integer(0) + integers({2}) + integers({1}) + "\x89N" + global("torch", dtype));
}

TEST(Pickle, TensorsInOtherWords) {
  const Document typed = read(whole(typed_tensor("uint16")));
  EXPECT_EQ(std::get<Tensor>(typed.objects[typed.root]).storage.type, ElementType::u16);
  EXPECT_EQ(std::get<Tensor>(typed.objects[typed.root]).storage.elements, 12);
  EXPECT_EQ(only<Tensor>(typed_tensor("float8_e5m2")).storage.type, ElementType::f8_e5m2);
  EXPECT_EQ(opaque(typed_tensor("float8_e8m0fnu")), "torch.float8_e8m0fnu");
  const std::string state =
      call(global("torch._utils", "_rebuild_parameter_with_state"), tensor() + "\x88N}");
  EXPECT_THAT(only<Tensor>(state).shape, ElementsAre(2, 3));
  EXPECT_THAT(
      only<Tensor>(global("torch.nn.parameter", "Parameter") + tuple(tensor() + "\x88") + "\x81").shape,
      ElementsAre(2, 3));
  const std::string arguments = tuple(tensor() + "\x88N");
  const auto from_type = [&](const std::string& type) {
    return call(global("torch._tensor", "_rebuild_from_type_v2"),
                global("torch._utils", "_rebuild_parameter") + type + arguments + "}");
  };
  EXPECT_THAT(only<Tensor>(from_type(global("torch.nn.parameter", "Parameter"))).shape, ElementsAre(2, 3));
  EXPECT_EQ(opaque(from_type(global("my", "Tensor"))), "my.Tensor");
  const auto from_cpu = [&](const std::string& dtype) {
    return call(global("torch._utils", "_rebuild_device_tensor_from_cpu_tensor"),
                tensor() + global("torch", dtype) + text("xla:0") + "\x89");
  };
  EXPECT_THAT(only<Tensor>(from_cpu("float32")).shape, ElementsAre(2, 3));
  EXPECT_EQ(opaque(from_cpu("bfloat16")), "torch._utils._rebuild_device_tensor_from_cpu_tensor");
  for (const char* name : {"_rebuild_sparse_tensor", "_rebuild_qtensor", "_rebuild_meta_tensor_no_storage",
                           "_rebuild_wrapper_subclass", "_rebuild_device_tensor_from_numpy"}) {
    EXPECT_EQ(opaque(call(global("torch._utils", name), "NNN")), fmt::format("torch._utils.{}", name));
  }
  EXPECT_EQ(opaque(tensor({"0", "QInt8Storage"})), "torch.QInt8Storage");
}

TEST(Pickle, RefusesOpcodesByName) {
  EXPECT_THAT(refusal(whole("\x82\x01")),
              HasSubstr("the opcode EXT1, which needs the program that wrote it: save model.state_dict()"));
  EXPECT_THAT(refusal(whole("\x83\x01")), HasSubstr("the opcode EXT2"));
  EXPECT_THAT(refusal(whole("\x84\x01")), HasSubstr("the opcode EXT4"));
  EXPECT_THAT(refusal(whole("P0\n")), HasSubstr("the opcode PERSID"));
  EXPECT_THAT(refusal(whole("\x97")), HasSubstr("the opcode NEXT_BUFFER"));
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
  EXPECT_THAT(refusal(whole("N}b")), HasSubstr("expected an object to set attributes of"));
  EXPECT_THAT(refusal(whole("NQ")), HasSubstr("expected a storage's description"));
  EXPECT_THAT(refusal(whole(tuple(text("module") + "NNNN") + "Q")),
              HasSubstr("expected ('storage', class, key"));
  EXPECT_THAT(refusal(whole("N)R")), HasSubstr("expected something that may be called"));
  EXPECT_THAT(refusal(whole(global("collections", "OrderedDict") + "NR")), HasSubstr("a tuple of arguments"));
  EXPECT_THAT(refusal(whole(call(global("torch._utils", "_rebuild_tensor_v2"), "N"))),
              HasSubstr("unexpected number of arguments"));
  EXPECT_THAT(refusal(whole("(o")), HasSubstr("expected something that may be called"));
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
  // A list that is made a dict again and again.
  std::string copies = global("torch", "Size") + "q\x01(" + std::string(100'000, 'N') + "t\x85q\x02";
  for (int i = 0; i < 100; ++i) copies += "h\x01h\x02R0";
  EXPECT_THAT(refusal(whole(copies)), HasSubstr("copies more than 8000000 objects"));
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
}  // namespace polyhead::checkpoint::pickle
