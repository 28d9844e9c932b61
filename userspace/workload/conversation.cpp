#include "userspace/workload/conversation.h"

#include <sys/eventfd.h>

namespace gilscope {

Conversation::Conversation(const Parameters& parameters)
    : TimedWorkload(parameters), port_(static_cast<uint16_t>(parameters.number("port"))) {}

Status Conversation::prepare(size_t threads) {
  if (port_ != 0 && port_ + threads > 65536) {
    return fail(fmt::format("port={}: there are no {} ports from there up", port_, threads));
  }
  auto connections = connect(threads, port_);
  if (!connections) return fail(connections.error());
  connections_ = std::move(*connections);
  begun_ = Fd(eventfd(0, EFD_CLOEXEC));
  if (!begun_) return fail_errno("eventfd");
  auto account = Mapping<Account>::shared_anonymous(1);
  if (!account) return fail(account.error());
  account_ = std::move(*account);
  return {};
}

std::vector<int> Conversation::worker_descriptors() const {
  std::vector<int> kept = server_descriptors();
  kept.push_back(begun_.get());
  return kept;
}

std::vector<int> Conversation::server_descriptors() const {
  std::vector<int> servers;
  for (const Connection& connection : connections_) servers.push_back(connection.server.get());
  return servers;
}

std::vector<int> Conversation::client_descriptors() const {
  std::vector<int> kept = {begun_.get()};
  for (const Connection& connection : connections_) kept.push_back(connection.client.get());
  return kept;
}

void Conversation::begin() {
  const uint64_t one = 1;
  // Cannot fail: the counter is far from full.
  [[maybe_unused]] const ssize_t written = ::write(begun_.get(), &one, sizeof(one));
}

Status Conversation::converse(const SampleBook& samples) {
  uint64_t ones = 0;
  while (::read(begun_.get(), &ones, sizeof(ones)) < 0) {
    if (errno != EINTR) return fail_errno("the client cannot wait for the run to begin");
  }
  return talk(samples, end_ns());
}

void Conversation::add_results(std::map<std::string, double>& results) const {
  results["sent"] = static_cast<double>(account().sent);
  results["unanswered"] = results["sent"] - results["operations"];
}

}  // namespace gilscope
