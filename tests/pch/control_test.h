// Compiled once for a program of tests of control/: what of others most of its files include.

#include <fmt/format.h>
#include <google/protobuf/message.h>
#include <grpcpp/grpcpp.h>
#include <nlohmann/json.hpp>

#include "test.h"
