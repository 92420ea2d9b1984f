#include <nlohmann/json.hpp>

#include "plan_words.hpp"
#include "polyhead/config/names.hpp"
#include "polyhead/report/plan.hpp"
#include "polyhead/report/sharing.hpp"

namespace polyhead::report {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const plan::MemoryUse& use) {
  return {{"process", use.process},         {"backbone", use.backbone},          {"heads", use.heads},
          {"activations", use.activations}, {"exchange", use.exchange},          {"reading", use.loader},
          {"total", use.total()},           {"large_samples", use.large_samples}};
}

Json json_of(const plan::Estimate& estimate) {
  const plan::StepTime& step = estimate.step;
  return {{"working_seconds", estimate.working},
          {"setting_up_seconds", estimate.setting_up},
          {"efficiency", estimate.efficiency},
          {"steps", estimate.steps},
          {"limited_by", plan::name(estimate.bottleneck)},
          {"step_seconds",
           {{"total", step.total},
            {"reading", step.reading},
            {"backbone", step.backbone},
            {"heads", step.heads},
            {"fusing", step.fusing},
            {"exchange", step.exchange}}}};
}

Json json_of(const plan::Grid& grid) {
  return {{"data", grid.data}, {"heads", grid.heads}};
}

Json members_of(const plan::Candidate& candidate) {
  Json members = Json::array();
  for (std::size_t i = 0; i < candidate.heads.size(); ++i) {
    members.push_back({{"first_head", candidate.heads[i].first},
                       {"heads", candidate.heads[i].count},
                       {"gpu_memory", json_of(candidate.memory[i].gpu)},
                       {"host_memory", json_of(candidate.memory[i].host)}});
  }
  return members;
}

Json compared_of(const plan::Plan& plan) {
  Json compared = Json::array();
  for (const plan::Candidate& candidate : plan.compared) {
    compared.push_back({{"grid", json_of(candidate.grid)},
                        {"strategy", strategy_of(candidate.grid)},
                        {"fits", candidate.fits},
                        {"estimate", json_of(candidate.estimate)}});
  }
  return compared;
}

}  // namespace

std::string plan_json(const plan::Plan& plan, const plan::Workload& workload, const PlanContext& context) {
  Json json{{"job", context.job},
            {"machines", context.machines},
            {"samples", workload.samples},
            {"micro_batch", workload.batch},
            {"micro_batches", workload.micro_batches()},
            {"grid", json_of(plan.chosen.grid)},
            {"strategy", strategy_of(plan.chosen.grid)},
            {"features", config::name(plan.features)},
            {"reason", plan.reason},
            {"fits", plan.chosen.fits},
            {"estimate", json_of(plan.chosen.estimate)},
            {"members", members_of(plan.chosen)},
            {"limits", {{"gpu", plan.limits.gpu}, {"host", plan.limits.host}}},
            {"largest_micro_batch", plan.largest_batch},
            {"compared", compared_of(plan)},
            {"warnings", plan.warnings},
            {"measured", context.measured},
            {"assumed", context.assumed}};
  if (context.sharing != nullptr) json["sharing"] = Json::parse(sharing_json(*context.sharing));
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace polyhead::report
