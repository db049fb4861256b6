// hawser-peer: either end of the proof, an origin (serve) or a crowd of clients (drive).
#include <chrono>
#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "peer/client.h"
#include "peer/server.h"

namespace {

using hawser::adversary::ClientAddress;
using hawser::adversary::ClientSettings;
using hawser::adversary::json_string;
using hawser::adversary::ListeningPort;
using hawser::adversary::Report;
using hawser::adversary::ServerSettings;
using hawser::adversary::Wrong;

// "9301", "9301:xff", "9301:proxy"; `usual` is what a port without a word expects.
ListeningPort read_port(const std::string& text, ClientAddress usual) {
  const std::size_t colon = text.find(':');
  const std::string word = colon == std::string::npos ? "" : text.substr(colon + 1);
  ListeningPort port;
  if (word.empty()) {
    port.told = usual;
  } else if (word == "xff") {
    port.told = ClientAddress::kForwardedFor;
  } else if (word == "proxy") {
    port.told = ClientAddress::kProxy;
  } else if (word != "none") {
    throw Wrong("--listen " + text + ": the word is none, xff or proxy");
  }
  const unsigned long number = std::strtoul(text.c_str(), nullptr, 10);
  if (number == 0 || number > 65535) throw Wrong("--listen " + text + ": no port");
  port.port = static_cast<std::uint16_t>(number);
  return port;
}

void print(const Report& report, const std::string& words) {
  std::printf("%s\n", report.json(words).c_str());
  std::fflush(stdout);
}

int run_server(const ServerSettings& settings) {
  Report report;
  const std::string words = "\"name\": " + json_string(settings.name);
  for (const char* name : {"requests", "accepted", "closed"}) report.count(name) = 0;
  hawser::adversary::serve(settings, report, [&] { print(report, words); });
  print(report, words);
  return report.errors() == 0 ? 0 : 1;
}

int run_client(const ClientSettings& settings) {
  Report report;
  for (const char* name : {"connections", "requests", "answers", "moved", "cookies_set"}) {
    report.count(name) = 0;
  }
  const auto begin = std::chrono::steady_clock::now();
  hawser::adversary::drive(settings, report);
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
  print(report, "\"seed\": " + std::to_string(settings.seed) +
                    ", \"seconds\": " + std::to_string(time.count()));
  const bool all = settings.only || report.count("connections") == settings.connections;
  return report.errors() == 0 && all ? 0 : 1;
}

struct Arguments {
  ServerSettings server;
  ClientSettings client;
  std::vector<std::string> ports;
  std::vector<std::string> targets;
  bool expect_xff = false;
  bool expect_proxy = false;
  unsigned stall = 60;
};

CLI::App* add_serve(CLI::App& app, Arguments& arguments) {
  CLI::App* serve =
      app.add_subcommand("serve", "an HTTP/1.1 origin, strict about what it receives");
  serve->add_option("--name", arguments.server.name, "what X-Server says")->required();
  serve
      ->add_option("--listen", arguments.ports,
                   "a port, with :none, :xff or :proxy behind it; may be given again")
      ->required();
  auto* xff =
      serve->add_flag("--expect-xff", arguments.expect_xff,
                      "ports without a word expect X-Forwarded-For with the client's address");
  serve
      ->add_flag("--expect-proxy", arguments.expect_proxy,
                 "ports without a word expect a PROXY header, version 2")
      ->excludes(xff);
  return serve;
}

CLI::App* add_drive(CLI::App& app, Arguments& arguments) {
  ClientSettings& client = arguments.client;
  CLI::App* drive = app.add_subcommand("drive", "clients that check every byte of every answer");
  drive->add_option("--target", arguments.targets, "ADDRESS:PORT; may be given again")->required();
  drive->add_option("--connections", client.connections, "in all")->capture_default_str();
  drive->add_option("--concurrency", client.concurrency, "at a time")->capture_default_str();
  drive->add_option("--seed", client.seed, "what all of it follows from")->capture_default_str();
  drive->add_option("--users", client.users, "who share the connections; 0: a quarter as many");
  drive->add_option("--only", client.only, "this connection alone, as it is among all");
  drive->add_option("--expect-cookie", client.cookie, "the name of the cookie that is inserted");
  drive->add_option("--max-size", client.limits.largest, "of a body, bytes")->capture_default_str();
  drive->add_option("--max-requests", client.limits.requests, "on a connection")
      ->capture_default_str();
  drive->add_option("--max-errors", client.most_errors, "then no more connections are opened")
      ->capture_default_str();
  return drive;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Either end of a proof that streams stay whole. Prints one JSON object at the end;\n"
      "exit 1 when anything was not as it must be."};
  app.require_subcommand(1);
  Arguments arguments;
  CLI::App* serve = add_serve(app, arguments);
  CLI::App* drive = add_drive(app, arguments);
  for (CLI::App* each : {serve, drive}) {
    each->add_option("--stall", arguments.stall, "seconds without progress that are an error")
        ->capture_default_str();
  }
  CLI11_PARSE(app, argc, argv);
  try {
    arguments.server.patience = arguments.client.patience = std::chrono::seconds(arguments.stall);
    if (serve->parsed()) {
      const ClientAddress usual = arguments.expect_xff     ? ClientAddress::kForwardedFor
                                  : arguments.expect_proxy ? ClientAddress::kProxy
                                                           : ClientAddress::kNone;
      for (const std::string& port : arguments.ports) {
        arguments.server.ports.push_back(read_port(port, usual));
      }
      return run_server(arguments.server);
    }
    for (const std::string& target : arguments.targets) {
      arguments.client.targets.push_back(hawser::adversary::read_target(target));
    }
    return run_client(arguments.client);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hawser-peer: %s\n", error.what());
    return 2;
  }
}
