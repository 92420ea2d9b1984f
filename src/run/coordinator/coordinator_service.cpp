#include "coordinator_service.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "coordinator.hpp"
#include "open_cache.hpp"
#include "polyhead/base/log.hpp"
#include "polyhead/config/load.hpp"
#include "polyhead/run/identity.hpp"
#include "polyhead/run/progress.hpp"
#include "polyhead/store/resume.hpp"
#include "run/setup/bad_samples.hpp"
#include "run/worker/first_lease.hpp"
#include "run/worker/page_writing.hpp"

namespace polyhead::run {
namespace {

constexpr std::int64_t kMaxSamples = 1 << 13;  // most samples per lease, which carries the place of each: 1
                                               // MiB or so
constexpr std::uint64_t kMaxFeatures = std::uint64_t{16} << 20U;  // most bytes of features per lease

/// UUID per rank, null for a rank without one; nothing where no rank has one.
nlohmann::ordered_json gpus_json(const std::vector<std::string>& uuids) {
  auto gpus = nlohmann::ordered_json::array();
  if (std::ranges::all_of(uuids, [](const std::string& uuid) { return uuid.empty(); })) return gpus;
  for (const std::string& uuid : uuids) {
    gpus.push_back(uuid.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(uuid));
  }
  return gpus;
}

/// Seconds, rounded up.
std::int64_t seconds_of(std::chrono::milliseconds time) {
  return std::chrono::ceil<std::chrono::seconds>(time).count();
}

}  // namespace

void end_job(comm::MpiEnvironment& mpi, const Error& error) {
  log::error(error.what());
  mpi.abort(static_cast<int>(error.code()));
}

CoordinatorService::CoordinatorService(comm::MpiEnvironment& mpi, const JobOptions& options, Inputs& inputs,
                                       plan::Grid grid, std::vector<std::string> hosts,
                                       const comm::Group& group, StatusFile& status,
                                       std::vector<plan::Lease> work)
    : mpi_(mpi),
      options_(options),
      inputs_(inputs),
      grid_(grid),
      hosts_(std::move(hosts)),
      group_(group),
      status_(status),
      output_(inputs.config.output.path),
      work_(std::move(work)) {}

void CoordinatorService::create(const Fingerprint& fingerprint, bool mixed) {
  lock_ = std::make_unique<store::OutputLock>(output_);
  const store::Layout layout = inputs_.layout();
  const store::SampleSource samples{
      [&](std::int64_t first, std::span<std::int32_t> labels) { inputs_.read_labels(first, labels); },
      [&](std::int64_t index) {
        throw_if_stop_asked();
        return inputs_.dataset->sample_id(index);
      }};
  const store::Header header{identity_json(inputs_), fingerprint.text, config::to_yaml(inputs_.config)};
  offsets_ = store::create(output_, layout, samples, header, options_.existing);
  lock_->hold_file();
  writer_ = std::make_unique<store::Writer>(store::open_for_writing(output_), layout, offsets_);
  writer_->append_provenance(provenance("start", mixed, "{}"));
  writer_->finish();  // the note is there before other ranks look for it
  cache_ = open_cache(inputs_, fingerprint.text, mixed, {});
}

void CoordinatorService::resume(Resumption file, const Fingerprint& fingerprint, bool mixed) {
  const std::string other =
      compare_fingerprints(file.fingerprint, fingerprint, options_.allow_mixed, output_);
  lock_ = std::move(file.lock);
  offsets_ = file.offsets;
  earlier_ = file.progress;
  writer_ = std::make_unique<store::Writer>(store::open_to_resume(output_), inputs_.layout(), offsets_,
                                            file.committed);
  // Must come first: a crash in between leaves open micro-batches, which no data can contradict.
  writer_->reopen(file.reopened);
  nlohmann::ordered_json more{{"committed", writer_->committed()}};
  if (options_.retry_bad) more["reopened"] = file.reopened.size();
  if (!other.empty()) more["fingerprint"] = nlohmann::ordered_json::parse(fingerprint.text);
  if (!file.data_change.empty()) more["data"] = nlohmann::ordered_json::parse(file.data_change);
  writer_->append_provenance(provenance("resume", mixed || !other.empty(), more.dump()));
  writer_->finish();
  if (!file.data_change.empty())
    log::info("samples have changed since the file was begun, in micro-batches that are computed now only");
  const std::int64_t all = inputs_.micro_batches().count();
  log::info(fmt::format(
      "{}: resumed: {} of {} micro-batches are finished, {} are computed now{}", output_.string(),
      writer_->committed(), all, all - writer_->committed(),
      file.reopened.empty()
          ? ""
          : fmt::format(", {} of them again for their quarantined samples", file.reopened.size())));
  cache_ = open_cache(inputs_, fingerprint.text, mixed, file.reopened);
}

void CoordinatorService::start(comm::Channel& from_ranks, comm::Channel& to_ranks) {
  thread_ = std::thread([&] {
    try {
      coordinate(from_ranks, to_ranks);
    } catch (const LostRank& error) {
      status_.set("lost_rank", std::to_string(error.rank()));
      status_.set("lost_host", hosts_.at(static_cast<std::size_t>(error.rank())));
      keep_and_end(error);
    } catch (const TooManyBad& error) {
      keep_and_end(error, error.option());
    } catch (const store::FileGone& error) {  // nothing is kept
      end_job(mpi_, Error(error.code(), fmt::format("{}; start again", error.what())));
    } catch (const Error& error) {
      keep_and_end(error);
    } catch (const std::exception& error) {
      keep_and_end(Error(ExitCode::internal, error.what()));
    }
  });
}

void CoordinatorService::finish(const metrics::RunFigures& figures) {
  writer_->finish();
  status_.set("committed", std::to_string(writer_->committed()));
  if (writer_->committed() < inputs_.micro_batches().count())
    throw Error(ExitCode::preempted, fmt::format("stopped by {}\n{}", stopped_by_, how_to_go_on("")));
  certify(*writer_, output_, options_.summarise, figures);
}

void CoordinatorService::coordinate(comm::Channel& from_ranks, comm::Channel& to_ranks) {
  const plan::MicroBatches batches = inputs_.micro_batches();
  status_.set("micro_batches", std::to_string(batches.count()));
  status_.set("comm_timeout", std::to_string(seconds_of(inputs_.config.comm.timeout)));
  status_.set("committed", std::to_string(writer_->committed()));
  status_.set("state", "running");
  Progress progress(options_.progress, batches.samples(), earlier());
  Coordinator::Settings settings;
  settings.commit_interval = commit_interval_of(inputs_.config.output);
  settings.timeout = inputs_.config.comm.timeout;
  settings.max_bad = most_bad(inputs_);
  settings.earlier = {earlier(), earlier_.quarantined};
  settings.hosts = hosts_;
  settings.grid = grid_;
  settings.opened = opens_early(inputs_.config.output);
  settings.all_read = inputs_.config.parallel.features == config::Features::local;
  settings.asked = [&] { return stop_wanted(); };
  settings.progress = [&](std::int64_t done) {
    progress.update(done);
    status_.set("committed", std::to_string(writer_->committed()));
  };
  settings.locations = [&](std::int64_t first, std::int64_t count) {
    return inputs_.dataset->locations(first, count);
  };
  settings.cache = cache_.get();
  settings.sample_id = [&](std::int64_t index) { return inputs_.dataset->sample_id(index); };
  const plan::LeaseSchedule schedule(work_, grid_.data, grid_.heads, most_in_a_lease());
  Coordinator coordinator(from_ranks, to_ranks, schedule, *writer_, batches, settings);
  coordinator.run();
  stopped_by_ = coordinator.stopped_by();
  if (cache_) log::info(fmt::format("{} micro-batches had their features from the cache", cache_->served()));
  if (cache_ && cache_->outdated() > 0) {
    log::info(fmt::format("{} micro-batches of the cache were computed anew: their files have changed since",
                          cache_->outdated()));
  }
  if (writer_->committed() == batches.count()) progress.finish();
}

/// Most micro-batches per lease: leases carry places of samples and cached features.
std::int64_t CoordinatorService::most_in_a_lease() const {
  std::int64_t most = kMaxSamples / inputs_.micro_batches().size();
  if (cache_) most = std::min(most, static_cast<std::int64_t>(kMaxFeatures / cache_->stride()));
  return std::max<std::int64_t>(grid_.heads, most);
}

void CoordinatorService::keep_and_end(const Error& error, const std::string& option) {
  if (error.code() == ExitCode::preempted) status_.set("stopped_by", who_stopped(error.what()));
  status_.set("committed", std::to_string(writer_->committed()));
  end_job(mpi_, Error(error.code(), fmt::format("{}\n{}", error.what(), how_to_go_on(option))));
}

/// Stop by a signal at this rank or by the clock. The other ranks tell the coordinator themselves.
StopRequest CoordinatorService::stop_wanted() const {
  const StopRequest asked = stop_asked();
  if (asked.how != Stop::no) return {asked.how, fmt::format("{} at rank 0 on {}", asked.why, hosts_.front())};
  const auto limit = inputs_.config.run.time_limit;
  if (!limit || std::chrono::steady_clock::now() - options_.started < *limit) return {};
  return {Stop::soon, "run.time_limit"};
}

std::string CoordinatorService::how_to_go_on(const std::string& option) const {
  return fmt::format("{} of {} micro-batches are finished and kept in {}\nTo go on: {}{}{}",
                     writer_->committed(), inputs_.micro_batches().count(), output_.string(),
                     options_.resume_command, option.empty() ? "" : " ", option);
}

/// Provenance entry. `more`: entries to add, a JSON object.
std::string CoordinatorService::provenance(std::string_view event, bool mixed,
                                           const std::string& more) const {
  nlohmann::ordered_json line{
      {"event", event},
      {"time", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)))},
      {"polyhead", POLYHEAD_VERSION},
      {"ranks", hosts_.size()},
      {"grid", {{"data", grid_.data}, {"heads", grid_.heads}}},
      {"host", hosts_.front()},
      {"backend", comm::name(group_.choice.backend)},
      {"backend_reason", group_.choice.reason},
      {"weights_over", comm::name(group_.weights_choice.backend)},
      {"weights_reason", group_.weights_choice.reason},
      {"gpus", gpus_json(group_.gpus)},
      {"mixed_fingerprints", mixed},
      {"command", options_.command_line},
  };
  if (!unused_gpus_.empty()) line["unused_gpus"] = unused_gpus_;
  line.update(nlohmann::ordered_json::parse(more));
  return line.dump();
}

}  // namespace polyhead::run
