// What is found wrong with the files and the pattern of a check before it is used.
#include "check_inspection.h"

#include <fstream>

#include <gtest/gtest.h>

#include "scratch_directory.h"

namespace hawser::control {
namespace {

model::Check https() {
  model::Check check;
  check.type = model::CheckType::kHttps;
  return check;
}

TEST(CheckInspection, AGoodCheckHasNoFault) {
  model::Check check = https();
  check.http.body_regex = "^(ok|fine)$";
  EXPECT_TRUE(inspect_check(check).empty());
}

TEST(CheckInspection, APatternThatIsNone) {
  model::Check check = https();
  check.http.body_regex = "(ok";
  const std::vector<model::CheckFault> faults = inspect_check(check);
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_EQ(faults[0].key, "body_regex");
  EXPECT_NE(faults[0].reason.find("parenthes"), std::string::npos) << faults[0].reason;
}

TEST(CheckInspection, FilesThatAreNotThere) {
  model::Check check = https();
  check.tls.ca_file = "/nowhere/ca.pem";
  ASSERT_EQ(inspect_check(check).size(), 1U);
  EXPECT_EQ(inspect_check(check)[0].key, "ca_file");
  EXPECT_EQ(inspect_check(check)[0].reason, "No such file or directory");
  check.tls.ca_file.clear();
  check.tls.client_certificate = "/nowhere/c.pem";
  check.tls.client_key = "/nowhere/k.pem";
  ASSERT_EQ(inspect_check(check).size(), 1U);
  EXPECT_EQ(inspect_check(check)[0].key, "client_certificate");
}

TEST(CheckInspection, AFileWithoutACertificate) {
  const ScratchDirectory scratch;
  const std::string file = scratch.path() + "/ca.pem";
  std::ofstream(file) << "no certificate\n";
  model::Check check = https();
  check.tls.ca_file = file;
  ASSERT_EQ(inspect_check(check).size(), 1U);
  EXPECT_EQ(inspect_check(check)[0].reason, "no certificate or crl found");
  check.type = model::CheckType::kHttp;
  EXPECT_TRUE(inspect_check(check).empty());
}

}  // namespace
}  // namespace hawser::control
