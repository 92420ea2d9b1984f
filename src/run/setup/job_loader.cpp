#include "job_loader.hpp"

#include <algorithm>
#include <utility>

#include "polyhead/data/reader.hpp"
#include "polyhead/device/pinned.hpp"
#include "polyhead/plan/threads.hpp"

namespace polyhead::run {

std::unique_ptr<data::Loader> make_loader(const Inputs& inputs, const model::DeviceAssignment& assignment,
                                          std::int64_t most) {
  const int workers = plan::workers_for(inputs.config.data.workers, assignment.threads);
  data::Loader::Readers readers;
  for (int i = 0; i < workers; ++i) readers.push_back(data::open_reader(inputs.config.data, inputs.shape));
  const bool bytes = assignment.cuda && readers.front()->gives_bytes();
  const std::int64_t batch = inputs.micro_batches().size();
  const auto value = static_cast<std::int64_t>(bytes ? sizeof(std::uint8_t) : sizeof(float));
  const std::int64_t fit =
      data::read_ahead_depth(inputs.config.data.read_ahead, batch, inputs.shape.image.values() * value);
  return std::make_unique<data::Loader>(std::move(readers), inputs.shape, batch, std::min(fit, most),
                                        bytes ? device::pinned_memory(assignment.device) : nullptr);
}

}  // namespace polyhead::run
