#pragma once

#include <filesystem>

namespace polyhead::run {

/// A place for the list of samples that goes with the object: a temporary folder, in TMPDIR. An existing list
/// is linked there: it is read if it is still right, and what replaces it replaces the link. A list that is
/// open stays mapped when the folder is gone. Throws Error when the folder cannot be made.
class ScratchIndex {
 public:
  explicit ScratchIndex(const std::filesystem::path& existing);
  ~ScratchIndex();
  ScratchIndex(const ScratchIndex&) = delete;
  ScratchIndex& operator=(const ScratchIndex&) = delete;
  [[nodiscard]] std::filesystem::path path() const { return folder_ / "samples.index"; }

 private:
  std::filesystem::path folder_;
};

}  // namespace polyhead::run
