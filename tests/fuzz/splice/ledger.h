// Ledger: what both ends of a run know together, so that an end that comes early can be judged.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace hawser::simulation {

// A virtual user, who has a cookie jar.
struct User {
  std::string name;
  std::string cookie;  // value, empty when none was set yet
  std::string home;    // the server that the cookie came from
};

struct Ledger {
  std::vector<User> users;
  std::map<std::string, std::string> homes;  // server by what affinity goes by
  std::set<std::uint64_t> left;              // connections whose clients went away in the middle
  std::set<std::uint64_t> refused;           // that the balancer answered itself
  std::set<std::uint64_t> cut;               // whose server reset in the middle of a response
  std::map<std::uint64_t, std::uint64_t> answered;  // requests, by connection
  std::map<std::string, std::uint64_t> counts;
};

}  // namespace hawser::simulation
