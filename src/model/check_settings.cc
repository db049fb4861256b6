// Checks of a service's settings against each other: forwarding, client address, QUIC, lists.
#include "check_settings.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "hawser/base/limits.h"
#include "hawser/base/nearest.h"
#include "service_faults.h"

namespace hawser::model {
namespace {

class SettingsCheck : ServiceFaults {
 public:
  using ServiceFaults::ServiceFaults;

  void check_forward() {
    const Node* port = table_.find("gue_port");
    if (!diagnostics_.usable(port) || !sound("forward")) return;
    if (service_.forward == Forward::kDsrGue) return;
    complain(*port, fmt::format("gue_port has no effect with forward \"{}\"; write forward = "
                                "\"dsr-gue\" or remove it",
                                to_string(service_.forward)));
  }

  void check_client_address() {
    const Node* node = table_.find("client_address");
    if (!diagnostics_.usable(node) || !sound("forward") || !sound("protocol")) return;
    if (service_.client_address == ClientAddress::kNone) return;
    const bool forwarded_for = service_.client_address == ClientAddress::kForwardedFor;
    if (forwarded_for && service_.splice.layer7 != Layer7::kHttp) {
      complain(*node, fmt::format("client_address \"{}\" needs forward \"splice\" and protocol "
                                  "\"http\"",
                                  node->text));
    } else if (!uses_nat(service_.forward)) {
      complain(*node, fmt::format("client_address \"{}\" needs forward \"nat\"; with \"{}\" the "
                                  "backend sees the client's own address",
                                  node->text, to_string(service_.forward)));
    } else if (service_.forward == Forward::kSplice &&
               service_.client_address == ClientAddress::kToa) {
      complain(*node,
               "client_address \"toa\" needs forward \"nat\"; with \"splice\" write "
               "\"proxy-v2\" or, for http, \"x-forwarded-for\"");
    } else if (service_.protocol != Protocol::kTcp) {
      complain(*node, fmt::format("client_address \"{}\" needs protocol \"tcp\"", node->text));
    }
  }

  void check_quic() {
    const Node* quic = table_.find("quic");
    if (!sound("affinity") || !sound("quic") || !sound("protocol")) return;
    const Node* affinity = table_.find("affinity");
    const Node* by = affinity == nullptr ? nullptr : affinity->find("by");
    if (by != nullptr && !diagnostics_.usable(by)) return;
    if (service_.affinity.by != AffinityBy::kQuicCid) {
      check_without_quic(quic);
      return;
    }
    if (service_.protocol != Protocol::kUdp) {
      complain(*by, "affinity by \"quic-cid\" needs protocol \"udp\", which carries QUIC");
    } else if (quic == nullptr) {
      complain(*by,
               "affinity by \"quic-cid\" needs the layout of connection IDs; write quic = { "
               "config_id = 0, server_id_length = 8, nonce_length = 8 }");
    } else {
      check_layout(*quic);
      check_server_ids(*by, *quic);
    }
  }

  void check_lists(const Configuration& configuration, bool lists_read) {
    std::map<std::string, const PrefixList*> known;
    for (const PrefixList& list : configuration.prefix_lists) known.emplace(list.name, &list);
    std::set<std::string> used;
    std::size_t allowed = 0;
    bool all_known = true;
    for (const bool allow : {true, false}) {
      const char* const key = allow ? "allow" : "deny";
      const std::vector<std::string>& names =
          allow ? service_.protection.allow : service_.protection.deny;
      for (std::size_t i = 0; i < names.size(); ++i) {
        const Node& item = table_.find(key)->items[i];
        if (!diagnostics_.usable(&item)) continue;
        const auto list = known.find(names[i]);
        all_known = all_known && list != known.end();
        if (list == known.end()) {
          complain_unknown(item, key, known);
        } else if (!used.insert(names[i]).second) {
          complain(item, fmt::format("{}: the list \"{}\" is named twice in allow and deny", key,
                                     names[i]));
        } else if (allow) {
          allowed += list->second->prefixes->size();
        }
      }
    }
    const bool nobody = !service_.protection.allow.empty() && service_.protection.deny.empty() &&
                        allowed == 0 && all_known && lists_read;
    const Node* allow = table_.find("allow");
    if (!nobody || !diagnostics_.usable(allow)) return;
    complain(*allow, "the lists of allow are empty, so nobody could use the service");
  }

 private:
  // What an empty `quic` or server id means without affinity by connection ID: nothing.
  void check_without_quic(const Node* quic) {
    constexpr const char* kAdvice =
        "has no effect without affinity by \"quic-cid\"; write affinity = { by = \"quic-cid\" } or "
        "remove it";
    if (quic != nullptr) complain(*quic, fmt::format("quic {}", kAdvice));
    for (std::size_t i = 0; i < service_.backends.size(); ++i) {
      const Node* id = source_.backends[i]->find("quic_server_id");
      if (diagnostics_.usable(id)) complain(*id, fmt::format("quic_server_id {}", kAdvice));
    }
  }

  void check_layout(const Node& quic) {
    const Node* nonce = quic.find("nonce_length");
    const Node* length = quic.find("server_id_length");
    const unsigned together = service_.quic.server_id_length + service_.quic.nonce_length;
    if (diagnostics_.usable(nonce) && diagnostics_.usable(length) &&
        together > limits::kMaxQuicPlaintext) {
      complain(*nonce, fmt::format("quic: server_id_length and nonce_length are {} together, must "
                                   "be at most {}",
                                   together, limits::kMaxQuicPlaintext));
    }
    const Node* key = quic.find("key");
    if (diagnostics_.usable(key) && service_.quic.key.size() != limits::kQuicKeyBytes) {
      complain(*key, fmt::format("quic: key has {} hexadecimal digits, must have {}",
                                 2 * service_.quic.key.size(), 2 * limits::kQuicKeyBytes));
    }
  }

  void check_server_ids(const Node& by, const Node& quic) {
    std::map<std::string, std::size_t> ids;
    bool any = false;
    for (std::size_t i = 0; i < service_.backends.size(); ++i) {
      const Node* node = source_.backends[i]->find("quic_server_id");
      any = any || node != nullptr;
      if (!diagnostics_.usable(node)) continue;
      const std::string backend = label("backend", service_.backends[i].name, i);
      const std::size_t bytes = service_.backends[i].quic_server_id.size();
      const auto [first, inserted] = ids.emplace(service_.backends[i].quic_server_id, i);
      if (diagnostics_.usable(quic.find("server_id_length")) &&
          bytes != service_.quic.server_id_length) {
        complain(*node, fmt::format("{}: quic_server_id has {} bytes, must have {} as "
                                    "quic.server_id_length says",
                                    backend, bytes, service_.quic.server_id_length));
      } else if (!inserted) {
        complain(*node,
                 fmt::format("{}: quic_server_id is already that of {} (line {})", backend,
                             label("backend", service_.backends[first->second].name, first->second),
                             source_.backends[first->second]->find("quic_server_id")->place.line));
      }
    }
    if (any || service_.backends.empty()) return;
    complain(by, "affinity by \"quic-cid\" leads nowhere: no backend has a quic_server_id");
  }

  void complain_unknown(const Node& item, const char* key,
                        const std::map<std::string, const PrefixList*>& known) {
    std::vector<std::string> names;
    for (const auto& [name, list] : known) names.push_back(name);
    std::string advice = suggestion(item.text, names);
    if (advice.empty()) advice = "; add a [[prefix_list]]";
    complain(item, fmt::format("{}: there is no prefix list \"{}\"{}", key, item.text, advice));
  }
};

}  // namespace

void check_settings(const Service& service, const ServiceSource& source, const std::string& where,
                    const Configuration& configuration, bool lists_read, Diagnostics& diagnostics) {
  SettingsCheck check(service, source, where, diagnostics);
  check.check_forward();
  check.check_client_address();
  check.check_quic();
  check.check_lists(configuration, lists_read);
}

}  // namespace hawser::model
