// A workload with a client: connected sockets, one for each measured thread, a signal that lets the
// client begin when the run does, and the client's account of itself.
#pragma once

#include "userspace/workload/sockets.h"
#include "userspace/workload/timed.h"

namespace gilscope {

class Conversation : public TimedWorkload {
 public:
  bool has_client() const override { return true; }

  Status prepare(size_t threads) override;
  std::vector<int> worker_descriptors() const override;
  std::vector<int> client_descriptors() const override;
  std::vector<int> server_descriptors() const override;
  void begin() override;
  Status converse(const SampleBook& samples) final;
  void add_results(std::map<std::string, double>& results) const override;

 protected:
  // The client writes it; its parent reads it when the client has ended.
  struct Account {
    uint64_t sent;  // requests, or datagrams
  };

  explicit Conversation(const Parameters& parameters);

  virtual Result<std::vector<Connection>> connect(size_t threads, uint16_t port) = 0;
  // The client's part, once the run has begun.
  virtual Status talk(const SampleBook& samples, uint64_t end_ns) = 0;

  int server(size_t index) const { return connections_[index].server.get(); }
  int client(size_t index) const { return connections_[index].client.get(); }
  size_t connections() const { return connections_.size(); }
  Account& account() const { return account_[0]; }

 private:
  const uint16_t port_;
  std::vector<Connection> connections_;
  Fd begun_;  // an eventfd
  Mapping<Account> account_;
};

}  // namespace gilscope
