#include "polyhead/model/checkpoint.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "fail.hpp"
#include "input_file.hpp"

namespace polyhead::model {
namespace {

using namespace std::string_view_literals;

struct Lookalike {
  std::string_view start;
  std::string_view text;
};

/// Files that people mistake for weights, by their first bytes; the first that fits counts.
constexpr std::array<Lookalike, 8> kLookalikes{{
    {"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"sv,
     "is in PyTorch's format from before 1.6: torch.load it and save it again with a current PyTorch"},
    {"\x80"sv, "is a bare pickle: save model.state_dict() with a current torch.save"},
    {"<"sv, "looks like an HTML or XML page: did a download go wrong?"},
    {"version https://git-lfs"sv, "is a Git LFS pointer, not the file itself: run git lfs pull"},
    {"\x89HDF\r\n"sv, "is an HDF5 file"},
    {"\x1f\x8b"sv, "is compressed with gzip: unpack it"},
    {"\x93NUMPY"sv, "is a NumPy array"},
    {"GGUF"sv, "is a GGUF file"},
}};

constexpr std::size_t kStart = 24;            // longest start above
constexpr std::size_t kSafetensorsBrace = 8;  // the header follows its length

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    text += fmt::format("{}{:02x}", text.empty() ? "" : " ", static_cast<unsigned char>(c));
  }
  return text;
}

[[noreturn]] void refuse(const std::filesystem::path& path, std::string_view start) {
  constexpr std::string_view kExpected = "expected a safetensors file or a state_dict of torch.save";
  if (start.empty()) bad_data(path, fmt::format("is empty; {}", kExpected));
  for (const Lookalike& lookalike : kLookalikes) {
    if (start.starts_with(lookalike.start)) bad_data(path, fmt::format("{}; {}", lookalike.text, kExpected));
  }
  bad_data(path, fmt::format("is in no format that polyhead knows (it starts with {}); {}",
                             hex(start.substr(0, 8)), kExpected));
}

}  // namespace

Checkpoint read_checkpoint(const std::filesystem::path& path, const std::string& key) {
  std::string start;
  {
    const InputFile file(path);
    start.resize(std::min<std::uint64_t>(kStart, file.size()));
    file.read(0, std::as_writable_bytes(std::span(start.data(), start.size())));
  }
  if (start.starts_with("PK\x03\x04")) return read_pth(path, key);
  if (start.size() > kSafetensorsBrace && start[kSafetensorsBrace] == '{') return read_safetensors(path);
  refuse(path, start);
}

}  // namespace polyhead::model
