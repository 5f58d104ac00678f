// SPDX-License-Identifier: Apache-2.0
#include "application/programs.hh"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace lanyard::application {

namespace {

constexpr std::array all{
    ProgramInfo{"bulk",
                "bulk serve [--port N]\nbulk send HOST BYTES [--port N] [-4|-6]\n"
                "bulk send HOST --for SECONDS [--port N] [-4|-6]",
                "Moves bytes over TCP and checks that each arrived as it was sent; --for sends "
                "so long, then resets.",
                bulk},
    ProgramInfo{"course-tcp-client", "course-tcp-client HOST", "The course's TCP client.",
                course_tcp_client},
    ProgramInfo{"course-tcp-server", "course-tcp-server", "The course's TCP server on port 8888.",
                course_tcp_server},
    ProgramInfo{"course-udp-client", "course-udp-client HOST", "The course's UDP client.",
                course_udp_client},
    ProgramInfo{"course-udp-server", "course-udp-server", "The course's UDP server on port 8888.",
                course_udp_server},
    ProgramInfo{"dhcp",
                "dhcp client [INTERFACE] [--was ADDRESS] [--for SECONDS] [--at-once]\n"
                "dhcp serve [--pool FIRST-LAST[/LENGTH],...] [--lease SECONDS] "
                "[--reserve MAC=ADDRESS,...] [--router ADDRESS] [--dns ADDRESS,...] "
                "[--domain NAME]\n"
                "dhcp relay SERVER",
                "Gets the host an IPv4 address, gives addresses to others, or passes messages on "
                "between networks.",
                dhcp},
    ProgramInfo{"dhcp6",
                "dhcp6 client [INTERFACE] [--for SECONDS] [--information]\n"
                "dhcp6 serve [INTERFACE] [--pool FIRST-LAST] [--lease SECONDS] [--dns ADDRESS] "
                "[--preference N]",
                "The same for IPv6: an address from a server beside the host's others, or no more "
                "than the name servers it knows.",
                dhcp6},
    ProgramInfo{
        "echo",
        "echo serve [--port N]\n"
        "echo send HOST TEXT... [--port N] [--udp] [--hold SECONDS] [-4|-6]",
        "Sends back what comes (RFC 862), over TCP and UDP; --hold keeps the connection idle "
        "with keep-alive.",
        echo},
    ProgramInfo{"http",
                "http serve [--port N]\n"
                "http get URL [--head] [--post TEXT] [--repeat N] [-4|-6]",
                "A small HTTP/1.1 server and client.", http},
    ProgramInfo{"link-local", "link-local [INTERFACE]",
                "Chooses an IPv4 address of 169.254.0.0/16 that nobody else on the link has.",
                link_local},
    ProgramInfo{"lookup", "lookup NAME [-t A|AAAA|ANY|CNAME|MX|NS|PTR|SOA|TXT]",
                "Asks the host's name server.", lookup},
    ProgramInfo{"ping", "ping HOST [-c COUNT] [-i MILLISECONDS] [-s BYTES] [-t HOPS] [-4|-6] [-b]",
                "Sends ICMP echo requests and times the answers.", ping},
    ProgramInfo{"traceroute", "traceroute HOST [-m HOPS] [-q PROBES] [-4|-6]",
                "Names each router on the way.", traceroute},
};
static_assert(std::ranges::is_sorted(all, {}, &ProgramInfo::name));

}  // namespace

std::span<const ProgramInfo> programs() {
  return all;
}

const ProgramInfo* find_program(std::string_view name) {
  const auto found = std::ranges::find(all, name, &ProgramInfo::name);
  return found == all.end() ? nullptr : &*found;
}

std::optional<Family> wanted_family(const Arguments& arguments) {
  if (arguments.has("-4")) return Family::ipv4;
  if (arguments.has("-6")) return Family::ipv6;
  return std::nullopt;
}

int wrong_usage(socket::Process& process, std::string_view name, std::string_view problem) {
  process.print(2, fmt::format("{}: {}\nusage: {}\n", name, problem, find_program(name)->usage));
  return 2;
}

}  // namespace lanyard::application
