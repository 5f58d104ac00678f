// SPDX-License-Identifier: Apache-2.0
// A guest cannot reach the machine's own network: programs try, dynamic and static ones.
#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

#include "two_hosts.hh"

namespace lanyard::guest::test {
namespace {

const std::string programs_folder = std::string(LANYARD_BINARY_DIR) + "/bin/";

// A listener on the machine's own loopback, and an abstract unix one: whoever gets through is seen.
class Containment : public TwoHosts, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    TwoHosts::SetUp();
    if (IsSkipped()) return;
    listener = Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = static_cast<sockaddr*>(static_cast<void*>(&address));
    ASSERT_EQ(::bind(listener.get(), generic, size), 0);
    ASSERT_EQ(::listen(listener.get(), 16), 0);
    ASSERT_EQ(::getsockname(listener.get(), generic, &size), 0);
    port = ntohs(address.sin_port);

    abstract = Descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    name = "lanyard-escape-" + std::to_string(getpid());
    sockaddr_un path{};
    path.sun_family = AF_UNIX;
    std::memcpy(path.sun_path + 1, name.data(), name.size());
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    ASSERT_EQ(::bind(abstract.get(), static_cast<sockaddr*>(static_cast<void*>(&path)), length), 0);
    ASSERT_EQ(::listen(abstract.get(), 16), 0);
  }

  [[nodiscard]] bool was_reached() const {
    return ::accept(listener.get(), nullptr, nullptr) >= 0 ||
           ::accept(abstract.get(), nullptr, nullptr) >= 0;
  }

  Descriptor listener, abstract;
  int port = 0;
  std::string name;
};

TEST_P(Containment, NoCallReachesTheMachinesNetwork) {
  const std::string program = programs_folder + GetParam();
  if (access(program.c_str(), X_OK) != 0) GTEST_SKIP() << program << " is not built here";
  Ended tried = run(
      alice, program + " " + std::to_string(port) + " " + std::to_string(getpid()) + " " + name);
  if (features().containment == lanyard::guest::Containment::filter_only) {
    // Without namespaces, abstract unix names are the machine's: no network, and said so.
    const std::string known = "REACHED: abstract unix socket\n";
    const std::size_t at = tried.output.find(known);
    if (at != std::string::npos) tried.output.erase(at, known.size());
    (void)::accept(abstract.get(), nullptr, nullptr);
  } else {
    EXPECT_EQ(tried.status, 0) << tried.output << tried.errors;
  }
  EXPECT_EQ(tried.output.find("REACHED"), std::string::npos) << tried.output;
  EXPECT_NE(tried.output.find("done\n"), std::string::npos) << tried.output << tried.errors;
  EXPECT_FALSE(was_reached());
}

INSTANTIATE_TEST_SUITE_P(Programs, Containment,
                         testing::Values("guest_escape", "guest_escape_static"),
                         [](const auto& given) {
                           return std::string(given.param) == "guest_escape" ? "Dynamic" : "Static";
                         });

TEST_F(Containment, CurlAndBusyboxDoNotReachTheMachine) {
  const std::string url = "http://127.0.0.1:" + std::to_string(port) + "/";
  EXPECT_EQ(run(alice, "curl -s --max-time 5 " + url).status, 7);  // failed to connect
  if (access("/usr/bin/busybox", X_OK) == 0 || access("/bin/busybox", X_OK) == 0) {
    EXPECT_NE(run(alice, "busybox wget -q -O - " + url).status, 0);
  }
  EXPECT_FALSE(was_reached());
}

}  // namespace
}  // namespace lanyard::guest::test
