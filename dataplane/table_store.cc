// Reads and writes the tables of services.
#include "dataplane/table_store.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

#include <spdlog/spdlog.h>

#include "dataplane.pb.h"

namespace hawser::dataplane {
namespace {

namespace fs = std::filesystem;
namespace v1 = dataplane::v1;

constexpr std::string_view kEnding = ".table";

// One name for one service: no two have address, port, protocol and forwarding in common.
std::string file_name(const pipeline::KnownTable& known) {
  std::string address = net::to_string(known.address);
  for (char& c : address) c = c == ':' ? '_' : c;
  return address + "-" + std::to_string(known.port) + "-" +
         std::string(model::to_string(known.protocol)) + "-" +
         std::string(model::to_string(known.forward)) + std::string(kEnding);
}

v1::StoredTable to_message(const pipeline::KnownTable& known) {
  v1::StoredTable message;
  message.set_address(net::address_to_bytes(known.address));
  message.set_port(known.port);
  message.set_protocol(static_cast<v1::Protocol>(known.protocol));
  message.set_forward(static_cast<v1::Forward>(known.forward));
  for (const table::Member& member : known.table->members()) {
    v1::StoredTable::Member& entry = *message.add_members();
    entry.set_identity(member.identity);
    entry.set_weight(member.weight);
  }
  message.mutable_owners()->Reserve(static_cast<int>(known.table->slots()));
  for (std::uint32_t slot = 0; slot < known.table->slots(); ++slot) {
    message.add_owners(known.table->owner(slot));
  }
  return message;
}

Result<pipeline::KnownTable> from_message(const v1::StoredTable& message) {
  Result<net::IpAddress> address = net::address_from_bytes(message.address());
  if (!address) return address.error();
  std::vector<table::Member> members;
  for (const v1::StoredTable::Member& entry : message.members()) {
    members.push_back({.identity = entry.identity(), .weight = entry.weight()});
  }
  std::vector<std::uint16_t> owners;
  owners.reserve(static_cast<std::size_t>(message.owners_size()));
  for (const std::uint32_t owner : message.owners()) {
    owners.push_back(static_cast<std::uint16_t>(owner));
  }
  auto table = table::Maglev::restore(std::move(members), std::move(owners));
  if (table == nullptr) return fail("its slots and members do not belong together");
  return pipeline::KnownTable{.address = *address,
                              .port = static_cast<std::uint16_t>(message.port()),
                              .protocol = static_cast<model::Protocol>(message.protocol()),
                              .forward = static_cast<model::Forward>(message.forward()),
                              .table = std::move(table)};
}

Result<pipeline::KnownTable> read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  v1::StoredTable message;
  if (!file || !message.ParseFromIstream(&file)) return fail("it cannot be read");
  return from_message(message);
}

}  // namespace

std::vector<pipeline::KnownTable> TableStore::load() {
  std::vector<pipeline::KnownTable> tables;
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory_, none)) {
    if (entry.path().extension() != kEnding) continue;
    on_disk_.insert(entry.path().filename().string());
    Result<pipeline::KnownTable> known = read_file(entry.path());
    if (known) {
      tables.push_back(*std::move(known));
    } else {
      spdlog::warn("{} is not used: {}", entry.path().string(), known.error().message);
    }
  }
  return tables;
}

void TableStore::keep(std::vector<pipeline::KnownTable> changed) {
  for (pipeline::KnownTable& known : changed) {
    std::string name = file_name(known);
    if (known.table == nullptr && !on_disk_.contains(name)) {
      to_do_.erase(name);
    } else {
      to_do_.insert_or_assign(std::move(name), std::move(known));
    }
  }
}

void TableStore::forget_all_but(const std::vector<pipeline::KnownTable>& wanted) {
  std::set<std::string> names;
  for (const pipeline::KnownTable& known : wanted) names.insert(file_name(known));
  for (const std::string& name : on_disk_) {
    if (!names.contains(name)) to_do_.insert_or_assign(name, pipeline::KnownTable{});
  }
}

bool TableStore::work() {
  if (to_do_.empty()) return false;
  const auto [name, known] = *to_do_.begin();
  to_do_.erase(to_do_.begin());
  if (known.table == nullptr) {
    std::error_code none;
    fs::remove(fs::path(directory_) / name, none);
    on_disk_.erase(name);
    return true;
  }
  on_disk_.insert(name);
  const Result<void> written = write(name, known);
  if (!written && !std::exchange(complained_, true)) {
    spdlog::warn("tables are not kept for a restart: {}", written.error().message);
  }
  return true;
}

Result<void> TableStore::write(const std::string& name, const pipeline::KnownTable& table) {
  std::error_code error;
  fs::create_directories(directory_, error);
  if (error) return fail(directory_ + ": " + error.message());
  const fs::path path = fs::path(directory_) / name;
  const fs::path fresh = path.string() + ".new";
  {
    std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
    if (!file || !to_message(table).SerializeToOstream(&file) || !file.flush()) {
      return fail(fresh.string() + ": " + std::strerror(errno));
    }
  }
  fs::rename(fresh, path, error);
  if (error) return fail(path.string() + ": " + error.message());
  return {};
}

}  // namespace hawser::dataplane
