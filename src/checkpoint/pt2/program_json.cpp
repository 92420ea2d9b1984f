#include <algorithm>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "argument.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/checkpoint/exported_program.hpp"
#include "polyhead/checkpoint/fail.hpp"
#include "schema.hpp"

namespace polyhead::checkpoint::exported {
namespace {

constexpr std::size_t kMostCalls = 100'000;
constexpr std::size_t kMostJson = 256'000'000;  // bytes
constexpr std::int64_t kMajor = 8;              // of the schema

/// Last of the parts of a text.
std::string_view after_last(std::string_view text, std::string_view separator) {
  const std::size_t at = text.rfind(separator);
  return at == std::string_view::npos ? text : text.substr(at + separator.size());
}

/// "layer1.0.conv1" of "L__self__,,models.ResNet;L__self___layer1_0_conv1,layer1.0.conv1,torch.nn.Conv2d".
std::string module_of(std::string_view stack) {
  const std::string_view innermost = after_last(stack, ";");
  const std::size_t first = innermost.find(',');
  const std::size_t last = innermost.rfind(',');
  if (first == last) return "";
  return std::string(innermost.substr(first + 1, last - first - 1));
}

/// The innermost line of a Python traceback that is not PyTorch's own: "resnet.py:92: out = self.conv1(x)".
std::string line_of(std::string_view trace) {
  constexpr std::string_view kFile = "File \"";
  std::string found;
  for (std::size_t at = trace.find(kFile); at != std::string_view::npos;) {
    const std::size_t next = trace.find(kFile, at + 1);
    const std::string_view frame = trace.substr(at + kFile.size(), next - at - kFile.size());
    at = next;
    const std::size_t quote = frame.find("\", line ");
    if (quote == std::string_view::npos) continue;
    const std::string_view path = frame.substr(0, quote);
    if (path.find("/torch/nn/") != std::string_view::npos) continue;
    const std::string_view rest = frame.substr(quote + 8);
    const std::string_view number = rest.substr(0, rest.find_first_not_of("0123456789"));
    const std::size_t code = rest.find('\n');
    std::string_view text = code == std::string_view::npos ? "" : rest.substr(code + 1);
    text = text.substr(0, text.find('\n'));
    const std::size_t begin = text.find_first_not_of(' ');
    found = fmt::format("{}:{}: {}", after_last(path, "/"), number,
                        begin == std::string_view::npos ? "" : text.substr(begin));
  }
  return found;
}

Call read_call(const Fields& node) {
  Call call;
  call.target = node.text("target");
  for (const Json& input : node.list("inputs")) {
    const Fields fields(node.file(), input, fmt::format("an argument of {}", call.target));
    call.arguments.emplace_back(fields.text("name"), read_argument(fields.object("arg")));
  }
  for (const Json& output : node.list("outputs")) {
    const Fields fields(node.file(), output, fmt::format("an output of {}", call.target));
    for (std::string& name : read_output(fields)) call.outputs.push_back(std::move(name));
  }
  if (node.find("metadata") == nullptr) return call;
  const Fields metadata = node.object("metadata");
  if (metadata.find("nn_module_stack") != nullptr) call.module = module_of(metadata.text("nn_module_stack"));
  if (metadata.find("stack_trace") != nullptr) call.line = line_of(metadata.text("stack_trace"));
  return call;
}

TensorType read_tensor_type(const Fields& fields) {
  TensorType type;
  type.element = element_type(fields, fields.integer("dtype"));
  for (const Json& size : fields.list("sizes"))
    type.shape.push_back(read_dimension({fields.file(), size, "a size of a tensor"}));
  return type;
}

/// Adds an item of `signature.input_specs`.
void read_input(const Fields& spec, Program& program) {
  const Choice choice = choice_of(spec);
  const Fields fields = spec.object(std::string(choice.kind).c_str());
  const auto state = [&](const char* name) {
    program.state.push_back({fields.object("arg").text("name"), fields.text(name)});
  };
  if (choice.kind == "parameter") return state("parameter_name");
  if (choice.kind == "buffer") return state("buffer_name");
  if (choice.kind == "tensor_constant") return state("tensor_constant_name");
  if (choice.kind != "user_input")
    spec.fail(fmt::format("an input of kind '{}' is not read", printable(choice.kind)));
  const Fields argument = fields.object("arg");
  const Choice given = choice_of(argument);
  if (given.kind == "as_none") return;
  if (given.kind != "as_tensor") {
    spec.fail(fmt::format("forward() takes an input of kind '{}': export a model that takes images alone",
                          printable(given.kind)));
  }
  program.inputs.push_back(tensor_name(argument, given.value));
}

/// Adds an item of `signature.output_specs`.
void read_result(const Fields& spec, Program& program) {
  const Choice choice = choice_of(spec);
  const Fields fields = spec.object(std::string(choice.kind).c_str());
  if (choice.kind == "buffer_mutation" || choice.kind == "user_input_mutation") {
    spec.fail(fmt::format(
        "the model changes '{}' while it computes: call .eval() before torch.export",
        choice.kind == "buffer_mutation" ? fields.text("buffer_name") : fields.text("user_input_name")));
  }
  if (choice.kind != "user_output")
    spec.fail(fmt::format("an output of kind '{}' is not read", printable(choice.kind)));
  const Fields argument = fields.object("arg");
  const Choice given = choice_of(argument);
  if (given.kind != "as_tensor") {
    spec.fail(fmt::format("forward() returns a value of kind '{}': export a model that returns scores",
                          printable(given.kind)));
  }
  program.outputs.push_back(tensor_name(argument, given.value));
}

/// Takes the program from the JSON while it is parsed, so that no more than a node lies in memory as JSON.
class ProgramReader {
 public:
  explicit ProgramReader(const std::filesystem::path& file) : file_(file), guard_(file) {}

  bool operator()(int depth, Json::parse_event_t event, const Json& parsed) {
    using Event = Json::parse_event_t;
    guard_.follow(depth, event, parsed);
    const auto level = static_cast<std::size_t>(depth);
    if (event == Event::object_start || event == Event::array_start) {
      names_.resize(level + 2);
      names_[level + 1].clear();
    }
    if (event == Event::key) names_[level] = parsed.get_ref<const std::string&>();
    if (event == Event::value && is({"torch_version"}, level) && parsed.is_string())
      program_.torch_version = parsed.get<std::string>();
    if (event != Event::object_end) return true;
    take(level, parsed);
    return depth > kInside;
  }

  Program finish() {
    if (!versioned_) bad_data(file_, "has no schema_version: it is no program of torch.export");
    return std::move(program_);
  }

 private:
  static constexpr int kInside = 4;  ///< objects deeper than that belong to what is taken as a whole

  /// Whether what is parsed lies there; "*": any name or an item of a list.
  [[nodiscard]] bool is(std::initializer_list<std::string_view> path, std::size_t level) const {
    if (path.size() != level) return false;
    return std::equal(
        path.begin(), path.end(), names_.begin() + 1,
        [](std::string_view wanted, const std::string& name) { return wanted == "*" || wanted == name; });
  }

  void take(std::size_t level, const Json& json) {
    if (is({"graph_module", "graph", "nodes", "*"}, level)) return take_call(json);
    if (is({"graph_module", "graph", "tensor_values", "*"}, level)) {
      const std::string& name = names_[level];
      const Fields fields(file_, json, fmt::format("the tensor '{}'", name));
      if (!program_.tensors.emplace(name, read_tensor_type(fields)).second) fields.fail("is there twice");
      return;
    }
    if (is({"graph_module", "signature", "input_specs", "*"}, level))
      return read_input({file_, json, "the model's signature"}, program_);
    if (is({"graph_module", "signature", "output_specs", "*"}, level))
      return read_result({file_, json, "the model's signature"}, program_);
    if (is({"range_constraints", "*"}, level)) return take_range(names_[level], json);
    if (is({"schema_version"}, level)) check_version({file_, json, "schema_version"});
  }

  void take_call(const Json& json) {
    if (program_.calls.size() == kMostCalls)
      bad_data(file_, fmt::format("has more than {} nodes, the most that are read", kMostCalls));
    program_.calls.push_back(
        read_call({file_, json, fmt::format("node {} of the graph", program_.calls.size())}));
  }

  void take_range(const std::string& symbol, const Json& json) {
    const Fields fields(file_, json, fmt::format("the range of '{}'", symbol));
    Range range{0, INT64_MAX};
    if (const Json* least = fields.find("min_val"); least != nullptr && !least->is_null())
      range.least = fields.integer("min_val");
    if (const Json* most = fields.find("max_val"); most != nullptr && !most->is_null())
      range.largest = fields.integer("max_val");
    program_.symbols[symbol] = range;
  }

  void check_version(const Fields& version) {
    versioned_ = true;
    const std::int64_t major = version.integer("major");
    if (major == kMajor) return;
    version.fail(
        fmt::format("is {}.{}, and polyhead reads {}.x, of PyTorch 2.6 and later: export the model "
                    "again with a PyTorch of today",
                    major, version.integer("minor"), kMajor));
  }

  const std::filesystem::path& file_;
  Guard guard_;
  std::vector<std::string> names_;  ///< by depth: where the parser is
  Program program_;
  bool versioned_ = false;
};

/// Checks that every name that is used is there before, once.
class NameCheck {
 public:
  explicit NameCheck(const std::filesystem::path& file) : file_(file) {}

  void add(const std::string& name) {
    if (!name.empty() && !known_.insert(name).second)
      bad_data(file_, fmt::format("the value '{}' of its graph has two origins", printable(name)));
  }
  void need(const std::string& name, std::string_view user) const {
    if (known_.contains(name)) return;
    bad_data(file_,
             fmt::format("{} takes '{}', which nothing before it gives", printable(user), printable(name)));
  }

 private:
  const std::filesystem::path& file_;
  std::set<std::string_view> known_;
};

void check_names(const std::filesystem::path& file, const Program& program) {
  NameCheck check(file);
  for (const StateTensor& tensor : program.state) check.add(tensor.value);
  for (const std::string& input : program.inputs) check.add(input);
  for (const Call& call : program.calls) {
    for (const auto& [name, argument] : call.arguments)
      for_each_name(argument, [&](const std::string& value) { check.need(value, call.target); });
    for (const std::string& output : call.outputs) check.add(output);
  }
  for (const std::string& output : program.outputs) check.need(output, "the model's output");
}

}  // namespace

void for_each_name(const Argument& argument, const std::function<void(const std::string&)>& use) {
  const auto use_number = [&](const Number& number) {
    if (const auto* name = std::get_if<Name>(&number)) use(name->text);
  };
  if (const auto* value = std::get_if<Name>(&argument)) use(value->text);
  if (const auto* number = std::get_if<Number>(&argument)) use_number(*number);
  if (const auto* numbers = std::get_if<std::vector<Number>>(&argument))
    std::ranges::for_each(*numbers, use_number);
  if (const auto* tensors = std::get_if<Tensors>(&argument)) {
    for (const auto& tensor : *tensors)
      if (tensor) use(tensor->text);
  }
}

Program parse_program(const std::filesystem::path& file, std::span<const std::byte> json) {
  if (json.size() > kMostJson) {
    bad_data(file, fmt::format("has a graph of {} of JSON, more than {}: that is no model of images",
                               human_bytes(json.size()), human_bytes(kMostJson)));
  }
  const auto* const text = reinterpret_cast<const char*>(json.data());
  ProgramReader reader(file);
  try {
    [[maybe_unused]] const Json rest = Json::parse(text, text + json.size(), std::ref(reader));
  } catch (const Json::exception& error) {
    bad_data(file, fmt::format("has malformed JSON: {}", printable(error.what())));
  }
  Program program = reader.finish();
  check_names(file, program);
  return program;
}

}  // namespace polyhead::checkpoint::exported
