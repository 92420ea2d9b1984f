#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "polyhead/checkpoint/element_type.hpp"

/// Programs of `torch.export`, as their archives (.pt2) describe them. Nothing in an archive is executed.
/// https://docs.pytorch.org/docs/stable/export/pt2_archive.html;
/// torch/_export/serde/schema.py has the names of the fields.
namespace polyhead::checkpoint::exported {

/// A value of the program, by its name.
struct Name {
  std::string text;
};
/// A whole number: a plain one, or a value that holds it.
using Number = std::variant<std::int64_t, Name>;
/// Tensors of a list; nothing stands for None.
using Tensors = std::vector<std::optional<Name>>;
/// A number of an enumeration of the schema.
struct Code {
  enum class Kind : std::uint8_t { scalar_type, layout, memory_format };
  Kind kind = Kind::scalar_type;
  std::int64_t number = 0;
};
struct Device {
  std::string name;  ///< "cpu", "cuda"
};
/// What an operator is given. Nothing stands for None.
using Argument = std::variant<std::monostate, Name, Tensors, bool, double, std::string, Number,
                              std::vector<Number>, std::vector<double>, std::vector<bool>, Code, Device>;

/// Calls `use` with the name of each value that an argument takes.
void for_each_name(const Argument& argument, const std::function<void(const std::string&)>& use);

/// A call of an operator. The program's calls stand in the order in which they are executed.
struct Call {
  std::string target;  ///< "torch.ops.aten.conv2d.default", "_operator.mul"
  std::vector<std::pair<std::string, Argument>> arguments;
  std::vector<std::string> outputs;  ///< names of values; an empty one stands for None
  std::string module;                ///< "layer1.0.conv1"; empty for the model itself
  std::string line;                  ///< of the model's Python, "resnet.py:92: out = self.conv1(x)"
};

/// Size along a dimension: a number, or an expression of the batch, as sympy.srepr writes it.
using Dimension = std::variant<std::int64_t, std::string>;

struct TensorType {
  ElementType element = ElementType::f32;
  std::vector<Dimension> shape;
};

/// A tensor of the model's state.
struct StateTensor {
  std::string value;  ///< name in the program
  std::string name;   ///< name in the model: "layer1.0.conv1.weight"
};

/// Least and largest value of a symbol of the expressions.
struct Range {
  std::int64_t least = 0;
  std::int64_t largest = 0;
};

struct Program {
  std::string torch_version;  ///< empty where the archive does not say it
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::vector<StateTensor> state;
  std::vector<Call> calls;
  std::map<std::string, TensorType> tensors;  ///< by name of the value
  std::map<std::string, Range> symbols;
};

/// A tensor's elements, contiguous, row-major, in their own type.
struct Elements {
  ElementType type = ElementType::f32;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> bytes;
};

/// Parses a program's JSON, not more than 256 MB with 100,000 calls. Throws Error(bad_data) that names `file`
/// where the JSON is malformed, of another major version of the schema, or has what polyhead does not read.
Program parse_program(const std::filesystem::path& file, std::span<const std::byte> json);

/// Value of a dimension for a batch of this size. Throws Error(bad_data) where the expression is malformed,
/// has another symbol or leaves the range of 63 bits.
std::int64_t evaluate(const std::filesystem::path& file, const Dimension& dimension,
                      const std::string& symbol, std::int64_t batch);

/// Whether a file is an archive of `torch.export.save`. Throws Error(no_input) when it cannot be read.
bool is_archive(const std::filesystem::path& path);

/// An open archive.
class Archive {
 public:
  /// Throws Error: no_input, or bad_data when the file is no such archive, damaged, or of a version that is
  /// not read.
  explicit Archive(std::filesystem::path path);
  ~Archive();
  Archive(Archive&&) noexcept;
  Archive& operator=(Archive&&) noexcept;

  [[nodiscard]] const std::filesystem::path& path() const;
  [[nodiscard]] const Program& program() const;
  /// Elements of a tensor of the model's state, by its name in the model. Throws Error(bad_data) when the
  /// archive has none or damaged bytes.
  [[nodiscard]] Elements read(const std::string& name) const;

 private:
  struct Open;
  std::unique_ptr<Open> open_;
};

}  // namespace polyhead::checkpoint::exported
