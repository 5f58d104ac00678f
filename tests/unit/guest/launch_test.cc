// SPDX-License-Identifier: Apache-2.0
// Programs started in a virtual host's namespaces: what they see, how they end, what is left.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "guest/filter.hh"
#include "guest/keeper.hh"

namespace lanyard::guest {
namespace {

HostSetup alice() {
  HostSetup setup;
  setup.name = "alice";
  stack::InterfaceRow row;
  row.index = 2;
  row.name = "eth0";
  row.mac = *MacAddress::parse("02:00:00:00:00:01");
  row.mtu = 1400;
  row.addresses = {*IpPrefix::parse("10.0.1.7/24"), *IpPrefix::parse("fd00:1::7/64")};
  setup.interfaces = {row};
  stack::Route route;
  route.destination = *IpPrefix::parse("0.0.0.0/0");
  route.gateway = *IpAddress::parse("10.0.1.1");
  route.interface = 2;
  setup.routes = {route};
  socket::Names names;
  names.host_name = "alice";
  names.name_servers = {{*IpAddress::parse("10.0.1.53"), 53, 0}};
  names.hosts = {{"bob", *IpAddress::parse("10.0.2.7")}};
  setup.files = name_files(names, "passwd: files systemd\nhosts: files mdns resolve\n");
  return setup;
}

struct Ran {
  std::string output;
  int status = -1, signal = -1;
};

Ran run(Keeper& keeper, const std::vector<std::string>& command, bool is_filtered = false) {
  int output[2];
  EXPECT_EQ(pipe2(output, O_CLOEXEC), 0);
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  auto started = keeper.launch(command, {"PATH=/usr/bin:/bin:/usr/sbin"}, "",
                               {null, output[1], output[1]}, is_filtered);
  close(null);
  close(output[1]);
  Ran ran;
  if (!started) {
    ran.output = "not started: " + started.error();
    close(output[0]);
    return ran;
  }
  char buffer[4096];
  ssize_t size = 0;
  while ((size = read(output[0], buffer, sizeof buffer)) > 0)
    ran.output.append(buffer, static_cast<std::size_t>(size));
  close(output[0]);
  Report report;
  while (recv(started->reports.get(), &report, sizeof report, 0) > 0) {
    if (report.kind != Report::exited) continue;
    ran.status = report.first;
    ran.signal = report.second;
  }
  return ran;
}

// Gone, or a zombie that nobody has asked after yet.
bool has_ended(pid_t process) {
  std::ifstream in("/proc/" + std::to_string(process) + "/stat");
  std::string text;
  if (!std::getline(in, text)) return true;
  return text.compare(text.rfind(')') + 2, 1, "Z") == 0;
}

// A daemon of its own with one program, `sh` that has started two more; both are told through
// `found`, and the daemon then waits to be killed.
[[noreturn]] void be_daemon(int found) {
  Features without = features();
  without.containment = Containment::filter_only;
  auto keeper = Keeper::start(alice(), without);
  if (!keeper) _exit(1);
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  const auto started = keeper->launch({"sh", "-c", "sleep 300 & setsid sleep 300 & wait"},
                                      {"PATH=/usr/bin:/bin"}, "", {null, null, null}, false);
  if (!started) _exit(2);
  std::vector<pid_t> all;
  for (int turn = 0; turn < 500 && all.size() < 3; ++turn) {
    usleep(10'000);
    all = descendants_of(started->minder);
  }
  if (write(found, all.data(), all.size() * sizeof(pid_t)) < 0) _exit(3);
  for (;;) pause();
}

TEST(WithoutNamespaces, NothingIsLeftWhenTheDaemonIsKilled) {
  int found[2];
  ASSERT_EQ(pipe2(found, O_CLOEXEC), 0);
  const pid_t daemon = fork();
  if (daemon == 0) be_daemon(found[1]);
  close(found[1]);
  std::array<pid_t, 3> processes{};
  EXPECT_EQ(read(found[0], processes.data(), sizeof processes),
            static_cast<ssize_t>(sizeof processes));
  close(found[0]);
  for (const pid_t process : processes) EXPECT_FALSE(has_ended(process));
  kill(daemon, SIGKILL);
  waitpid(daemon, nullptr, 0);
  for (const pid_t process : processes) {
    for (int turn = 0; turn < 500 && !has_ended(process); ++turn) usleep(10'000);
    EXPECT_TRUE(has_ended(process)) << process;
  }
}

class Launching : public testing::Test {
 protected:
  void SetUp() override {
    if (features().containment == Containment::filter_only)
      GTEST_SKIP() << "no namespaces may be made here: " << fallbacks_in_use(features()).front();
    auto started = Keeper::start(alice(), features());
    ASSERT_TRUE(started) << started.error();
    keeper = std::make_unique<Keeper>(std::move(*started));
  }
  std::unique_ptr<Keeper> keeper;
};

TEST_F(Launching, AProgramSeesItsHostsName) {
  EXPECT_EQ(run(*keeper, {"hostname"}).output, "alice\n");
}

TEST_F(Launching, NamesAreLookedUpWhereTheLabSays) {
  EXPECT_EQ(run(*keeper, {"cat", "/etc/resolv.conf"}).output, "nameserver 10.0.1.53\n");
  EXPECT_NE(run(*keeper, {"cat", "/etc/hosts"}).output.find("10.0.2.7 bob\n"), std::string::npos);
  const std::string ways = run(*keeper, {"cat", "/etc/nsswitch.conf"}).output;
  EXPECT_NE(ways.find("hosts: files dns\n"), std::string::npos);
  EXPECT_EQ(ways.find("mdns"), std::string::npos);
  EXPECT_NE(ways.find("passwd: files systemd\n"), std::string::npos);
  const std::string found = run(*keeper, {"getent", "ahostsv4", "bob"}).output;
  EXPECT_EQ(found.substr(0, 9), "10.0.2.7 ") << found;
}

TEST_F(Launching, TheMirrorCarriesAddressesAndRoutes) {
  const std::string links = run(*keeper, {"cat", "/proc/net/dev"}).output;
  EXPECT_NE(links.find("eth0"), std::string::npos);
  EXPECT_NE(links.find("lo"), std::string::npos);
  if (access("/usr/sbin/ip", X_OK) != 0 && access("/sbin/ip", X_OK) != 0)
    GTEST_SKIP() << "iproute2 is not installed";
  const std::string shown = run(*keeper, {"ip", "-o", "addr"}).output;
  EXPECT_NE(shown.find("2: eth0    inet 10.0.1.7/24 brd 10.0.1.255"), std::string::npos) << shown;
  EXPECT_NE(shown.find("2: eth0    inet6 fd00:1::7/64"), std::string::npos) << shown;
  const std::string routes = run(*keeper, {"ip", "route"}).output;
  EXPECT_NE(routes.find("default via 10.0.1.1 dev eth0"), std::string::npos) << routes;
  const std::string link = run(*keeper, {"ip", "link", "show", "eth0"}).output;
  EXPECT_NE(link.find("mtu 1400"), std::string::npos) << link;
  EXPECT_NE(link.find("LOWER_UP"), std::string::npos) << link;
  EXPECT_NE(link.find("02:00:00:00:00:01"), std::string::npos) << link;
}

TEST_F(Launching, ExitStatusAndSignalComeBack) {
  EXPECT_EQ(run(*keeper, {"sh", "-c", "exit 7"}).status, 7);
  EXPECT_EQ(run(*keeper, {"sh", "-c", "kill -9 $$"}).signal, SIGKILL);
}

TEST_F(Launching, AMissingProgramIsASentence) {
  // BI: program missing says which and why.
  EXPECT_EQ(run(*keeper, {"no-such-program"}).output,
            "not started: no-such-program: no such program");
  EXPECT_EQ(run(*keeper, {"no-such-program"}, true).output,
            "not started: no-such-program: no such program");
  EXPECT_EQ(run(*keeper, {"/etc/passwd"}).output, "not started: /etc/passwd: Permission denied");
}

TEST_F(Launching, AFilteredProgramRunsAndCannotUseIoUring) {
  const Ran ran = run(*keeper, {"sh", "-c", "echo hello; grep Seccomp: /proc/self/status"}, true);
  EXPECT_EQ(ran.output, "hello\nSeccomp:\t2\n");
  EXPECT_EQ(ran.status, 0);
}

TEST_F(Launching, NothingIsLeftWhenTheHostEnds) {
  int output[2];
  ASSERT_EQ(pipe2(output, O_CLOEXEC), 0);
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  auto started = keeper->launch({"sh", "-c", "(setsid sleep 1000 &) ; echo up; exec sleep 1000"},
                                {"PATH=/usr/bin:/bin"}, "", {null, output[1], output[1]}, true);
  close(null);
  close(output[1]);
  ASSERT_TRUE(started) << started.error();
  char buffer[16];
  ASSERT_EQ(read(output[0], buffer, sizeof buffer), 3);
  keeper.reset();
  EXPECT_EQ(read(output[0], buffer, sizeof buffer), 0);  // every holder of the pipe is gone
  pollfd hung_up{started->listener.get(), 0, 0};
  EXPECT_EQ(poll(&hung_up, 1, 5000), 1);
  EXPECT_NE(hung_up.revents & POLLHUP, 0);
  close(output[0]);
}

TEST_F(Launching, TheMachinesProcessesAreNotSeen) {
  if (features().containment == Containment::user) GTEST_SKIP() << "/proc may not be mounted here";
  const std::string command = "test -d /proc/" + std::to_string(getpid()) + "/fd && echo seen";
  EXPECT_EQ(run(*keeper, {"sh", "-c", command}).output, "");
}

}  // namespace
}  // namespace lanyard::guest
