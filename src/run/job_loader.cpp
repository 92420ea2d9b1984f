#include "job_loader.hpp"

#include <utility>

#include "polyhead/data/reader.hpp"
#include "polyhead/device/pinned.hpp"
#include "polyhead/plan/threads.hpp"

namespace polyhead::run {

std::int64_t read_ahead_depth(const Inputs& inputs) {
  return data::read_ahead_depth(inputs.config.data.read_ahead, inputs.micro_batches().size(),
                                inputs.shape.image.values());
}

std::unique_ptr<data::Loader> make_loader(const Inputs& inputs, const model::Placement& placement,
                                          std::int64_t depth) {
  const int workers = plan::workers_for(inputs.config.data.workers, placement.threads);
  data::Loader::Readers readers;
  for (int i = 0; i < workers; ++i) readers.push_back(data::open_reader(inputs.config.data, inputs.shape));
  const bool bytes = placement.cuda && readers.front()->gives_bytes();
  return std::make_unique<data::Loader>(std::move(readers), inputs.shape, inputs.micro_batches().size(),
                                        depth, bytes ? device::pinned_memory(placement.device) : nullptr);
}

}  // namespace polyhead::run
