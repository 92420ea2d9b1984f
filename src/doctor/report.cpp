#include "polyhead/doctor/report.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "polyhead/base/text.hpp"
#include "polyhead/base/wire.hpp"

namespace polyhead::doctor {
namespace {

/// One answer, with the hosts that gave it.
struct Answer {
  Finding finding;
  std::vector<std::string> hosts;
};

bool same(const Finding& a, const Finding& b) {
  return a.check == b.check && a.verdict == b.verdict && a.text == b.text && a.advice == b.advice;
}

/// Answer equal to the finding; a new one is put after those of the same check.
Answer& answer_for(const Finding& finding, std::vector<Answer>& answers) {
  const auto found =
      std::ranges::find_if(answers, [&](const Answer& answer) { return same(answer.finding, finding); });
  if (found != answers.end()) return *found;
  const auto last = std::ranges::find_if(answers.rbegin(), answers.rend(), [&](const Answer& answer) {
    return answer.finding.check == finding.check;
  });
  return *answers.insert(last == answers.rend() ? answers.end() : last.base(), Answer{finding, {}});
}

/// Answers in the order of the first host's checks.
std::vector<Answer> merge(const std::vector<HostReport>& reports) {
  std::vector<Answer> answers;
  for (const HostReport& report : reports) {
    for (const Finding& finding : report.findings) answer_for(finding, answers).hosts.push_back(report.host);
  }
  return answers;
}

/// Whether hosts give different answers to this check.
bool differs(const std::vector<Answer>& answers, const std::string& check) {
  return std::ranges::count_if(answers, [&](const Answer& answer) { return answer.finding.check == check; }) >
         1;
}

}  // namespace

std::vector<std::byte> pack(const HostReport& report) {
  WireWriter writer;
  writer.put_text(report.host).put(report.findings.size());
  for (const Finding& finding : report.findings) {
    writer.put_text(finding.check).put(finding.verdict).put_text(finding.text);
    writer.put_text(finding.detail).put_text(finding.advice);
  }
  return std::move(writer).take();
}

HostReport unpack(std::span<const std::byte> bytes) {
  WireReader reader(bytes);
  HostReport report;
  report.host = reader.get_text();
  report.findings.resize(reader.get<std::size_t>());
  for (Finding& finding : report.findings) {
    finding.check = reader.get_text();
    finding.verdict = reader.get<Verdict>();
    finding.text = reader.get_text();
    finding.detail = reader.get_text();
    finding.advice = reader.get_text();
  }
  return report;
}

std::string text(const std::vector<HostReport>& reports) {
  std::string lines;
  const std::vector<Answer> answers = merge(reports);
  for (const auto& [finding, hosts] : answers) {
    std::string line = differs(answers, finding.check) ? join(hosts) + ": " + finding.text : finding.text;
    if (hosts.size() == 1 && !finding.detail.empty()) line += "; " + finding.detail;
    lines += fmt::format("{:<8} {:<11} {}\n", name(finding.verdict), finding.check, line);
    if (!finding.advice.empty()) lines += fmt::format("{:<21}{}\n", "", finding.advice);
  }
  return lines;
}

std::string json(const std::vector<HostReport>& reports) {
  nlohmann::ordered_json found = nlohmann::ordered_json::array();
  for (const auto& [finding, hosts] : merge(reports)) {
    found.push_back({{"check", finding.check},
                     {"verdict", name(finding.verdict)},
                     {"text", finding.text},
                     {"detail", hosts.size() == 1 ? finding.detail : ""},
                     {"advice", finding.advice},
                     {"hosts", hosts}});
  }
  return nlohmann::ordered_json{{"problems", problems(reports)}, {"findings", found}}.dump(2) + "\n";
}

int problems(const std::vector<HostReport>& reports) {
  const std::vector<Answer> answers = merge(reports);
  return static_cast<int>(std::ranges::count_if(
      answers, [](const Answer& answer) { return answer.finding.verdict == Verdict::problem; }));
}

}  // namespace polyhead::doctor
