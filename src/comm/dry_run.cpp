#include "dry_run.hpp"

#include <algorithm>

#include "blocks.hpp"
#include "copy_bytes.hpp"

namespace polyhead::comm {
namespace {

class Done final : public Pending {
  void wait() override {}
};

class DryRun final : public Collectives {
 public:
  DryRun(int rank, int size) : rank_(rank), size_(size) {}

  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return size_; }

  void broadcast(std::span<std::byte> /*bytes*/, int /*root*/) override {}
  void all_reduce(std::span<std::int64_t> values) override {
    for (std::int64_t& value : values) value *= size_;
  }
  std::vector<std::vector<std::byte>> all_gather(std::span<const std::byte> bytes) override {
    return std::vector(static_cast<std::size_t>(size_), std::vector<std::byte>(bytes.begin(), bytes.end()));
  }
  void barrier() override {}

  std::unique_ptr<Pending> start_all_gather(std::span<const std::byte> mine,
                                            std::span<std::byte> all) override {
    check_blocks("all-gather", mine.size(), all.size(), size_);
    while (!all.empty()) all = copy_bytes(mine, all);
    return std::make_unique<Done>();
  }

  std::unique_ptr<Pending> start_reduce_scatter(std::span<const std::int64_t> all,
                                                std::span<std::int64_t> mine) override {
    check_blocks("reduce-scatter", mine.size(), all.size(), size_);
    std::ranges::copy(all.subspan(static_cast<std::size_t>(rank_) * mine.size(), mine.size()), mine.begin());
    all_reduce(mine);
    return std::make_unique<Done>();
  }

  /// Takes other ranks' blocks to equal this one's, as far as these reach.
  std::unique_ptr<Pending> start_all_to_all(std::span<const std::byte> blocks, std::span<std::byte> received,
                                            std::span<const std::size_t> sizes) override {
    check_all_to_all(blocks.size(), received.size(), sizes, rank_, size_);
    const std::size_t own = sizes[static_cast<std::size_t>(rank_)];
    const auto block = blocks.subspan(static_cast<std::size_t>(rank_) * own, own);
    for (const std::size_t size : sizes) {
      copy_bytes(block.first(std::min(size, own)), received);
      received = received.subspan(size);
    }
    return std::make_unique<Done>();
  }

 private:
  int rank_;
  int size_;
};

}  // namespace

std::unique_ptr<Collectives> make_dry_run(int rank, int size) {
  return std::make_unique<DryRun>(rank, size);
}

}  // namespace polyhead::comm
