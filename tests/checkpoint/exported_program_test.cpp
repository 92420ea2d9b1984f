#include "polyhead/checkpoint/exported_program.hpp"

#include <gmock/gmock.h>

#include "../support.hpp"
#include "zip_writer.hpp"

namespace polyhead::checkpoint::exported {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A program that adds a parameter to its input.
struct Text {
  std::string version = R"({"major": 8, "minor": 20})";
  std::string node =
      R"j({"target": "torch.ops.aten.add.Tensor", "inputs": [{"name": "self", "arg": {"as_tensor": {"name": "x"}}},
          {"name": "other", "arg": {"as_tensor": {"name": "p"}}}], "outputs": [{"as_tensor": {"name": "add"}}],
          "metadata": {"nn_module_stack": "L__self__,,m.Net;L__self___a_b,a.b,torch.nn.Linear", "stack_trace":
          "File \"/home/me/net.py\", line 7, in forward\n    return self.a.b(x)\n  File \"/x/torch/nn/modules/linear.py\", line 1, in forward\n    return F.linear(input)"}})j";
  std::string inputs =
      R"j({"parameter": {"arg": {"name": "p"}, "parameter_name": "w"}}, {"user_input": {"arg": {"as_tensor": {"name": "x"}}}})j";
  std::string outputs = R"j({"user_output": {"arg": {"as_tensor": {"name": "add"}}}})j";
  std::string values =
      R"j("x": {"dtype": 7, "sizes": [{"as_expr": {"expr_str": "Symbol('s1')", "hint": null}}, {"as_int": 2}]})j";

  [[nodiscard]] std::string json() const {
    return fmt::format(R"j({{"graph_module": {{"graph": {{"inputs": [], "outputs": [], "nodes": [{}],
        "tensor_values": {{{}}}}}, "signature": {{"input_specs": [{}], "output_specs": [{}]}},
        "module_call_graph": [{{"fqn": "", "signature": null}}]}}, "range_constraints": {{"s1": {{"min_val": 2,
        "max_val": 64}}}}, "schema_version": {}, "torch_version": "2.15.0"}})j",
                       node, values, inputs, outputs, version);
  }
};

Program parse(const std::string& json) {
  return parse_program("m.pt2", std::as_bytes(std::span(json)));
}

std::string refusal(const std::string& json) {
  const auto [code, text] = testing::error_of([&] { return parse(json); });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_THAT(text, HasSubstr("m.pt2: "));
  return text;
}

TEST(ExportedProgram, IsWhatTheJsonSays) {
  const Program program = parse(Text().json());
  EXPECT_EQ(program.torch_version, "2.15.0");
  EXPECT_THAT(program.inputs, ElementsAre("x"));
  EXPECT_THAT(program.outputs, ElementsAre("add"));
  ASSERT_EQ(program.state.size(), 1);
  EXPECT_EQ(program.state[0].name, "w");
  EXPECT_EQ(program.symbols.at("s1").largest, 64);
  ASSERT_EQ(program.calls.size(), 1);
  const Call& call = program.calls[0];
  EXPECT_EQ(call.target, "torch.ops.aten.add.Tensor");
  EXPECT_EQ(std::get<Name>(call.arguments.at(1).second).text, "p");
  EXPECT_EQ(call.module, "a.b");
  EXPECT_EQ(call.line, "net.py:7: return self.a.b(x)");
  EXPECT_EQ(evaluate("m.pt2", program.tensors.at("x").shape.at(0), "s1", 8), 8);
  EXPECT_EQ(evaluate("m.pt2", program.tensors.at("x").shape.at(1), "s1", 8), 2);
}

TEST(ExportedProgram, EachKindOfArgumentIsRead) {
  const auto read = [](const std::string& argument) {
    Text text;
    text.node = R"({"target": "torch.ops.aten.x.default", "inputs": [{"name": "a", "arg": )" + argument +
                R"(}], "outputs": [{"as_tensor": {"name": "add"}}, {"as_none": true}]})";
    return parse(text.json()).calls.at(0).arguments.at(0).second;
  };
  EXPECT_TRUE(std::holds_alternative<std::monostate>(read(R"({"as_none": true})")));
  EXPECT_EQ(std::get<std::int64_t>(std::get<Number>(read(R"({"as_int": -3})"))), -3);
  EXPECT_EQ(std::get<double>(read(R"({"as_float": 1e-05})")), 1e-05);
  EXPECT_EQ(std::get<double>(read(R"({"as_float": "-Infinity"})")), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(std::get<bool>(read(R"({"as_bool": true})")), true);
  EXPECT_EQ(std::get<std::string>(read(R"({"as_string": "none"})")), "none");
  EXPECT_EQ(std::get<std::vector<Number>>(read(R"({"as_ints": [1, 2]})")).size(), 2);
  EXPECT_EQ(std::get<std::vector<Number>>(read(R"({"as_sym_ints": [{"as_int": 5}]})")).size(), 1);
  EXPECT_THAT(std::get<std::vector<double>>(read(R"({"as_floats": [0.5, 2]})")), ElementsAre(0.5, 2));
  EXPECT_THAT(std::get<std::vector<bool>>(read(R"({"as_bools": [true, false]})")), ElementsAre(true, false));
  EXPECT_EQ(std::get<Tensors>(read(R"({"as_tensors": [{"name": "x"}, {"name": "p"}]})")).size(), 2);
  const auto some = std::get<Tensors>(
      read(R"({"as_optional_tensors": [{"as_none": true}, {"as_tensor": {"name": "x"}}]})"));
  EXPECT_FALSE(some.at(0));
  EXPECT_EQ(some.at(1)->text, "x");
  EXPECT_EQ(std::get<Name>(read(R"({"as_optional_tensor": {"as_tensor": {"name": "x"}}})")).text, "x");
  EXPECT_EQ(std::get<Code>(read(R"({"as_scalar_type": 7})")).number, 7);
  EXPECT_EQ(std::get<Code>(read(R"({"as_memory_format": 1})")).kind, Code::Kind::memory_format);
  EXPECT_EQ(std::get<Device>(read(R"({"as_device": {"type": "cpu", "index": null}})")).name, "cpu");
}

TEST(ExportedProgram, WhatIsNotReadIsNamed) {
  Text text;
  text.version = R"({"major": 7, "minor": 2})";
  EXPECT_THAT(refusal(text.json()), HasSubstr("is 7.2, and polyhead reads 8.x"));
  text = {};
  text.node =
      R"({"target": "torch.ops.higher_order.cond", "inputs": [{"name": "g", "arg": {"as_graph": {}}}], "outputs": []})";
  EXPECT_THAT(refusal(text.json()), HasSubstr("has an argument of kind 'as_graph', which is not read"));
  text = {};
  text.outputs = R"({"buffer_mutation": {"arg": {"name": "add"}, "buffer_name": "bn.running_mean"}})";
  EXPECT_THAT(refusal(text.json()), HasSubstr("changes 'bn.running_mean' while it computes: call .eval()"));
  text = {};
  text.inputs += R"(, {"user_input": {"arg": {"as_int": 3}}})";
  EXPECT_THAT(refusal(text.json()), HasSubstr("takes an input of kind 'as_int'"));
  text = {};
  text.values = R"("x": {"dtype": 10, "sizes": []})";
  EXPECT_THAT(refusal(text.json()), HasSubstr("the tensor 'x': has elements of type 10"));
}

TEST(ExportedProgram, DamageIsNamed) {
  EXPECT_THAT(refusal("{"), HasSubstr("malformed JSON"));
  EXPECT_THAT(refusal("{}"), HasSubstr("no schema_version"));
  EXPECT_THAT(refusal(std::string(100, '[') + std::string(100, ']')), HasSubstr("nested too deep"));
  EXPECT_THAT(refusal(R"({"a": 1, "a": 2})"), HasSubstr("'a' twice"));
  Text text;
  text.values += "," + text.values;
  EXPECT_THAT(refusal(text.json()), HasSubstr("'x' twice"));
  text = {};
  text.node += "," + text.node;
  EXPECT_THAT(refusal(text.json()), HasSubstr("the value 'add' of its graph has two origins"));
  text = {};
  text.inputs = R"({"user_input": {"arg": {"as_tensor": {"name": "x"}}}})";
  EXPECT_THAT(refusal(text.json()),
              HasSubstr("torch.ops.aten.add.Tensor takes 'p', which nothing before it gives"));
  text = {};
  text.node = R"({"target": 3, "inputs": [], "outputs": []})";
  EXPECT_THAT(refusal(text.json()), HasSubstr("node 0 of the graph: target is no text"));
}

TEST(ExportedProgram, SizesAreExpressionsOfTheBatch) {
  const auto value = [](const std::string& text) { return evaluate("m.pt2", text, "s77", 16); };
  const auto reason = [&](const std::string& text) {
    return testing::error_of([&] { return value(text); }).second;
  };
  const std::string batch = "Symbol('s77', positive=True, integer=True)";
  EXPECT_EQ(value(batch), 16);
  EXPECT_EQ(value("Mul(Integer(4), " + batch + ")"), 64);
  EXPECT_EQ(value("Add(Mul(Integer(2), " + batch + ", Integer(3)), Integer(-1))"), 95);
  EXPECT_EQ(value("FloorDiv(" + batch + ", Integer(3))"), 5);
  EXPECT_EQ(value("Mod(" + batch + ", Integer(3))"), 1);
  EXPECT_THAT(reason("Symbol('s1')"), HasSubstr("depends on more than the batch"));
  EXPECT_THAT(reason("Pow(Integer(2), Integer(3))"), HasSubstr("function 'Pow', which is not read"));
  EXPECT_THAT(reason("Abs(Integer(-3))"), HasSubstr("function 'Abs' of one argument"));
  EXPECT_THAT(reason("Mul(Integer(9223372036854775807), Integer(2))"), HasSubstr("is too large"));
  EXPECT_THAT(reason("Mod(Integer(1), Integer(0))"), HasSubstr("divides by"));
  for (const char* broken :
       {"", "Integer", "Integer(", "Integer()", "Integer(4x)", "Mul(Integer(2)", "Integer(1)2"})
    EXPECT_THAT(reason(broken), HasSubstr("a size of its graph")) << broken;
}

/// Where the archive's list of weights says that a tensor lies.
std::string list_of(const std::string& sizes, const std::string& strides,
                    const std::string& pickled = "false") {
  return fmt::format(R"({{"config": {{"w": {{"path_name": "weight_0", "is_param": true, "use_pickle": {},
      "tensor_meta": {{"dtype": 7, "sizes": [{}], "strides": [{}], "storage_offset": {{"as_int": 0}}}}}}}}}})",
                     pickled, sizes, strides);
}

std::string archive(const std::string& list, const std::vector<float>& weights) {
  const auto bytes = std::as_bytes(std::span(weights));
  return testing::zip(
      {{"m/models/model.json", Text().json()},
       {"m/data/weights/model_weights_config.json", list},
       {"m/data/weights/weight_0", {reinterpret_cast<const char*>(bytes.data()), bytes.size()}}});
}

TEST(ExportedArchive, TensorsAreReadInRowMajorOrder) {
  const testing::TemporaryFolder folder;
  const std::vector<float> stored{0, 1, 2, 3, 4, 5};
  const auto path = folder.write(
      "m.pt2",
      archive(list_of(R"({"as_int": 2}, {"as_int": 3})", R"({"as_int": 1}, {"as_int": 2})"), stored));
  EXPECT_TRUE(is_archive(path));
  const Elements elements = Archive(path).read("w");
  EXPECT_THAT(elements.shape, ElementsAre(2, 3));
  ASSERT_EQ(elements.bytes.size(), 24);
  std::vector<float> values(6);
  std::memcpy(values.data(), elements.bytes.data(), 24);
  EXPECT_THAT(values, ElementsAre(0, 2, 4, 1, 3, 5));
}

TEST(ExportedArchive, TensorsOutsideTheirRecordsAndPicklesAreRefused) {
  const testing::TemporaryFolder folder;
  const auto reason = [&](const std::string& list, std::size_t floats) {
    const auto path = folder.write("m.pt2", archive(list, std::vector<float>(floats)));
    const auto [code, text] = testing::error_of([&] { return Archive(path).read("w"); });
    EXPECT_EQ(code, ExitCode::bad_data);
    return text;
  };
  const std::string two = R"({"as_int": 2})";
  EXPECT_THAT(reason(list_of(two, R"({"as_int": 1})"), 1),
              HasSubstr("does not lie in its record of 1 elements"));
  EXPECT_THAT(reason(list_of(R"({"as_int": 1000000000000})", R"({"as_int": 0})"), 4),
              HasSubstr("does not lie in its record of 4 elements"));
  EXPECT_THAT(reason(list_of(R"({"as_int": -2})", R"({"as_int": 1})"), 4), HasSubstr("impossible shape"));
  EXPECT_THAT(reason(list_of(two, ""), 4), HasSubstr("impossible shape"));
  EXPECT_THAT(reason(list_of(two, R"({"as_int": -1})"), 4), HasSubstr("does not lie"));
  EXPECT_THAT(reason(list_of(two, R"({"as_int": 1})", "true"), 4), HasSubstr("is pickled"));
  EXPECT_THAT(reason(R"({"config": {}})", 4), HasSubstr("has no weights 'w'"));
}

TEST(ExportedArchive, OtherZipFilesAreNone) {
  const testing::TemporaryFolder folder;
  EXPECT_FALSE(is_archive(folder.write("a.zip", testing::zip({{"m/data.pkl", "x"}}))));
  EXPECT_FALSE(is_archive(folder.write("a.h5", "\x89HDF\r\n\x1a\n")));
  const auto path = folder.write("old.pt2", testing::zip({{"serialized_exported_program.json", "{}"}}));
  EXPECT_TRUE(is_archive(path));
  EXPECT_THAT(testing::error_of([&] { return Archive(path); }).second,
              HasSubstr("was written by PyTorch 2.7 or earlier"));
}

}  // namespace
}  // namespace polyhead::checkpoint::exported
