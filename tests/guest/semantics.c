// SPDX-License-Identifier: Apache-2.0
// What the socket calls do on this system, a line for each question. Run on Linux and on a virtual
// host, the lines are compared. Loopback only; everything in one process.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char* word(long value) {
  static char text[64];
  if (value >= 0) {
    snprintf(text, sizeof text, "%ld", value);
    return text;
  }
  return strerrorname_np(errno);
}

static void say(const char* question, long value) {
  printf("%s: %s\n", question, word(value));
}

static void nap(int milliseconds) {
  struct timespec time = {milliseconds / 1000, (milliseconds % 1000) * 1000000L};
  nanosleep(&time, NULL);
}

static struct sockaddr_in local(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

static int bind_to(int descriptor, int port) {
  struct sockaddr_in address = local(port);
  return bind(descriptor, (struct sockaddr*)&address, sizeof address);
}

static int connect_to(int descriptor, int port) {
  struct sockaddr_in address = local(port);
  return connect(descriptor, (struct sockaddr*)&address, sizeof address);
}

static int port_of(int descriptor) {
  struct sockaddr_in address;
  socklen_t size = sizeof address;
  return getsockname(descriptor, (struct sockaddr*)&address, &size) == 0 ? ntohs(address.sin_port)
                                                                         : -1;
}

static int listener(int* port) {
  int descriptor = socket(AF_INET, SOCK_STREAM, 0);
  bind_to(descriptor, 0);
  listen(descriptor, 16);
  *port = port_of(descriptor);
  return descriptor;
}

// A connected pair over loopback.
static void pair(int* client, int* server) {
  int port;
  int door = listener(&port);
  *client = socket(AF_INET, SOCK_STREAM, 0);
  connect_to(*client, port);
  *server = accept(door, NULL, NULL);
  close(door);
}

// What poll says once one of `expected` (or an error, or a hang-up) has come, or 2 s have passed.
static int events(int descriptor, short expected) {
  struct pollfd wait = {descriptor, expected, 0};
  if (expected >= 0) poll(&wait, 1, 2000);
  struct pollfd look = {descriptor, POLLIN | POLLOUT | POLLRDHUP, 0};
  poll(&look, 1, 0);
  return look.revents;
}
enum { now = -1, the_end = 0 };

static int option(int descriptor, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  return getsockopt(descriptor, level, name, &value, &size) == 0 ? value : -1;
}

static int set(int descriptor, int level, int name, int value) {
  return setsockopt(descriptor, level, name, &value, sizeof value);
}

static void nonblocking(int descriptor) {
  fcntl(descriptor, F_SETFL, O_NONBLOCK);
}

static void opening(void) {
  say("socket seqpacket", socket(AF_INET, SOCK_SEQPACKET, 0));
  say("socket stream with udp", socket(AF_INET, SOCK_STREAM, IPPROTO_UDP));
  say("socket bad type", socket(AF_INET, 77, 0));
  int stream = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  say("flags nonblock", (fcntl(stream, F_GETFL) & O_NONBLOCK) != 0);
  say("flags cloexec", (fcntl(stream, F_GETFD) & FD_CLOEXEC) != 0);
  say("type", option(stream, SOL_SOCKET, SO_TYPE));
  say("domain", option(stream, SOL_SOCKET, SO_DOMAIN));
  say("protocol", option(stream, SOL_SOCKET, SO_PROTOCOL));
  say("accepting", option(stream, SOL_SOCKET, SO_ACCEPTCONN));
  say("getpeername unconnected", getpeername(stream, (struct sockaddr*)&(struct sockaddr_in){0},
                                             &(socklen_t){sizeof(struct sockaddr_in)}));
  say("shutdown unconnected", shutdown(stream, SHUT_RDWR));
  say("accept without listen", accept(stream, NULL, NULL));
  say("port before bind", port_of(stream));
  say("bind to a foreign address",
      bind(stream, (struct sockaddr*)&(struct sockaddr_in){.sin_family = AF_INET,
                                                            .sin_addr.s_addr = htonl(0x08080808)},
           sizeof(struct sockaddr_in)));
  say("bind too short", bind(stream, (struct sockaddr*)&(struct sockaddr_in){0}, 4));
  say("bind at a bad address", bind(stream, (struct sockaddr*)8, 16));
  say("bind", bind_to(stream, 0));
  say("bind twice", bind_to(stream, 0));
  say("port after bind", port_of(stream) > 0);
  say("connect bad family",
      connect(stream, (struct sockaddr*)&(struct sockaddr){.sa_family = 77}, 16));
  close(stream);
  say("closed", connect_to(stream, 1));
}

static void ports(void) {
  int port;
  int door = listener(&port);
  int other = socket(AF_INET, SOCK_STREAM, 0);
  say("bind a port in use", bind_to(other, port));
  close(door);
  say("bind it once closed", bind_to(other, port));
  say("listen", listen(other, 1));
  say("accepting", option(other, SOL_SOCKET, SO_ACCEPTCONN));
  say("connect on a listener", connect_to(other, port));
  close(other);
  int late = socket(AF_INET, SOCK_STREAM, 0);
  say("connect to a closed listener", connect_to(late, port));
  say("connect again", connect_to(late, port));
  close(late);
}

static void connecting(void) {
  int port;
  int door = listener(&port);
  int client = socket(AF_INET, SOCK_STREAM, 0);
  nonblocking(client);
  say("nonblocking connect", connect_to(client, port));
  say("events once connected", events(client, POLLOUT));
  say("error", option(client, SOL_SOCKET, SO_ERROR));
  say("connect again", connect_to(client, port));
  say("connect once more", connect_to(client, port));
  say("listener events", events(door, POLLIN));
  struct sockaddr_in peer;
  socklen_t size = sizeof peer;
  int server = accept4(door, (struct sockaddr*)&peer, &size, SOCK_NONBLOCK);
  say("accept4 nonblocking", (fcntl(server, F_GETFL) & O_NONBLOCK) != 0);
  say("peer is the client", ntohs(peer.sin_port) == port_of(client));
  say("size of its address", size);
  nonblocking(door);
  say("listener events without a client", events(door, now));
  say("accept without a client", accept(door, NULL, NULL));
  say("accept4 bad flags", accept4(door, NULL, NULL, 1));
  close(client);
  close(server);
  close(door);
  client = socket(AF_INET, SOCK_STREAM, 0);
  nonblocking(client);
  connect_to(client, port);
  say("events once refused", events(client, POLLOUT));
  say("error", option(client, SOL_SOCKET, SO_ERROR));
  say("error again", option(client, SOL_SOCKET, SO_ERROR));
  close(client);
}

static void talking(void) {
  int client, server;
  char text[64] = {0};
  pair(&client, &server);
  say("send", send(client, "hello", 5, 0));
  say("events", events(server, POLLIN));
  int waiting = 0;
  ioctl(server, FIONREAD, &waiting);
  say("waiting", waiting);
  say("peek", recv(server, text, 2, MSG_PEEK));
  say("recv", recv(server, text, sizeof text, 0));
  say("recv without data", recv(server, text, sizeof text, MSG_DONTWAIT));
  send(client, "ab", 2, 0);
  send(client, "cd", 2, 0);
  say("recv all of 4", recv(server, text, 4, MSG_WAITALL));
  int copy = dup(client);
  close(client);
  say("send on a copy", send(copy, "x", 1, 0));
  say("recv it", recv(server, text, sizeof text, 0));
  struct iovec parts[2] = {{"ab", 2}, {"cde", 3}};
  say("writev", writev(copy, parts, 2));
  say("recv all of 5", recv(server, text, 5, MSG_WAITALL));
  say("half close", shutdown(copy, SHUT_WR));
  say("end", recv(server, text, sizeof text, 0));
  say("events after the peer's end", events(server, POLLRDHUP));
  say("send after one's own end", send(copy, "x", 1, MSG_NOSIGNAL));
  say("send the other way", send(server, "late", 4, 0));
  say("recv it", recv(copy, text, sizeof text, 0));
  close(server);
  say("end the other way", recv(copy, text, sizeof text, 0));
  say("events when both have ended", events(copy, the_end));
  close(copy);
}

static void breaking(void) {
  int client, server;
  char text[64];
  pair(&client, &server);
  close(server);
  say("events after the peer closed", events(client, POLLRDHUP));
  say("send to a closed peer", send(client, "x", 1, MSG_NOSIGNAL));
  events(client, the_end);
  say("send again", send(client, "x", 1, MSG_NOSIGNAL));
  say("recv", recv(client, text, sizeof text, 0));
  close(client);
  pair(&client, &server);
  send(client, "unread", 6, 0);
  events(server, POLLIN);
  close(server);
  say("events after a reset", events(client, the_end));
  say("recv from a peer that left data unread", recv(client, text, sizeof text, 0));
  say("recv again", recv(client, text, sizeof text, 0));
  close(client);
  pair(&client, &server);
  setsockopt(server, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
  close(server);
  events(client, the_end);
  say("error after linger 0", option(client, SOL_SOCKET, SO_ERROR));
  say("error again", option(client, SOL_SOCKET, SO_ERROR));
  close(client);
  pair(&client, &server);
  say("shutdown both", shutdown(client, SHUT_RDWR));
  say("recv", recv(client, text, sizeof text, 0));
  say("peer's recv", recv(server, text, sizeof text, 0));
  say("shutdown again", shutdown(client, SHUT_RDWR));
  close(client);
  close(server);
}

static void options(void) {
  int client, server;
  pair(&client, &server);
  say("nodelay", set(client, IPPROTO_TCP, TCP_NODELAY, 1));
  say("nodelay is", option(client, IPPROTO_TCP, TCP_NODELAY));
  say("keepalive", set(client, SOL_SOCKET, SO_KEEPALIVE, 1));
  say("keepalive is", option(client, SOL_SOCKET, SO_KEEPALIVE));
  say("keepidle", set(client, IPPROTO_TCP, TCP_KEEPIDLE, 33));
  say("keepidle is", option(client, IPPROTO_TCP, TCP_KEEPIDLE));
  say("keepidle 0", set(client, IPPROTO_TCP, TCP_KEEPIDLE, 0));
  say("user timeout", set(client, IPPROTO_TCP, TCP_USER_TIMEOUT, 4000));
  say("user timeout is", option(client, IPPROTO_TCP, TCP_USER_TIMEOUT));
  say("reuseaddr", set(client, SOL_SOCKET, SO_REUSEADDR, 1));
  say("reuseaddr is", option(client, SOL_SOCKET, SO_REUSEADDR));
  say("ulp", setsockopt(client, IPPROTO_TCP, 31, "tls", 3));
  say("ttl", set(client, IPPROTO_IP, IP_TTL, 33));
  say("ttl is", option(client, IPPROTO_IP, IP_TTL));
  say("ttl 300", set(client, IPPROTO_IP, IP_TTL, 300));
  say("ip options of no length", setsockopt(client, IPPROTO_IP, IP_OPTIONS, NULL, 0));
  say("unknown option", set(client, IPPROTO_TCP, 9999, 1));
  say("unknown level", set(client, 9999, 1, 1));
  say("too short", setsockopt(client, SOL_SOCKET, SO_KEEPALIVE, "a", 1));
  say("at a bad address", setsockopt(client, SOL_SOCKET, SO_KEEPALIVE, (void*)8, 4));
  struct linger linger = {1, 7};
  say("linger", setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
  linger = (struct linger){0, 0};
  socklen_t size = sizeof linger;
  getsockopt(client, SOL_SOCKET, SO_LINGER, &linger, &size);
  say("linger is", linger.l_linger);
  struct tcp_info info;
  size = sizeof info;
  say("tcp info", getsockopt(client, IPPROTO_TCP, TCP_INFO, &info, &size));
  say("its state", info.tcpi_state);
  unsigned rate = 1000000;
  unsigned long wide = 8000000000UL;
  say("pacing rate", setsockopt(client, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof rate));
  size = sizeof rate;
  getsockopt(client, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, &size);
  say("pacing rate is", rate);
  say("wide pacing rate", setsockopt(client, SOL_SOCKET, SO_MAX_PACING_RATE, &wide, sizeof wide));
  size = sizeof wide;
  getsockopt(client, SOL_SOCKET, SO_MAX_PACING_RATE, &wide, &size);
  say("wide pacing rate in units of a thousand", (long)(wide / 1000));
  size = sizeof rate;
  getsockopt(client, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, &size);
  say("is too wide for 32 bits", rate == 0xffffffff);
  say("pacing rate too short", setsockopt(client, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, 2));
  char name[16] = {0};
  size = sizeof name;
  say("congestion", getsockopt(client, IPPROTO_TCP, TCP_CONGESTION, name, &size));
  say("no such congestion", setsockopt(client, IPPROTO_TCP, TCP_CONGESTION, "nonesuch", 8));
  struct timeval wait = {0, 60000};
  say("timeout", setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait));
  say("recv in vain", recv(client, name, 1, 0));
  close(client);
  close(server);
}

static void datagrams(void) {
  char text[64] = {0};
  struct sockaddr_in from;
  socklen_t size = sizeof from;
  int one = socket(AF_INET, SOCK_DGRAM, 0), two = socket(AF_INET, SOCK_DGRAM, 0);
  bind_to(one, 0);
  int port = port_of(one);
  struct sockaddr_in to = local(port);
  say("udp protocol", option(one, SOL_SOCKET, SO_PROTOCOL));
  say("udp listen", listen(one, 1));
  say("udp accept", accept(one, NULL, NULL));
  say("udp bind in use", bind_to(two, port));
  say("sendto", sendto(two, "hello", 5, 0, (struct sockaddr*)&to, sizeof to));
  say("events", events(one, POLLIN));
  say("recvfrom", recvfrom(one, text, sizeof text, 0, (struct sockaddr*)&from, &size));
  say("from the sender", ntohs(from.sin_port) == port_of(two));
  sendto(two, "truncated", 9, 0, (struct sockaddr*)&to, sizeof to);
  events(one, POLLIN);
  say("waiting", (ioctl(one, FIONREAD, &size), (long)size));
  say("recvfrom of a part",
      recvfrom(one, text, 4, MSG_TRUNC, (struct sockaddr*)&from, &(socklen_t){sizeof from}));
  say("the rest is gone", recv(one, text, sizeof text, MSG_DONTWAIT));
  say("empty datagram", sendto(two, "", 0, 0, (struct sockaddr*)&to, sizeof to));
  say("events of an empty one", events(one, POLLIN));
  say("recvfrom it", recvfrom(one, text, sizeof text, 0, (struct sockaddr*)&from,
                              &(socklen_t){sizeof from}));
  say("udp connect", connect_to(two, port));
  say("send", send(two, "abc", 3, 0));
  struct iovec part = {text, sizeof text};
  struct msghdr header = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &part,
                          .msg_iovlen = 1};
  say("recvmsg", recvmsg(one, &header, 0));
  say("its name", header.msg_namelen);
  say("reply", sendto(one, "reply", 5, 0, (struct sockaddr*)&from, sizeof from));
  say("recv it", recv(two, text, sizeof text, 0));
  say("getpeername", getpeername(two, (struct sockaddr*)&from, &(socklen_t){sizeof from}));
  say("too long", sendto(two, NULL, 70000, 0, NULL, 0) < 0);
  struct sockaddr nobody = {.sa_family = AF_UNSPEC};
  say("dissolve", connect(two, &nobody, sizeof nobody));
  say("getpeername then", getpeername(two, (struct sockaddr*)&from, &(socklen_t){sizeof from}));
  set(one, IPPROTO_IP, IP_RECVTTL, 1);
  set(one, IPPROTO_IP, IP_PKTINFO, 1);
  char control[256];
  header = (struct msghdr){.msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
                           .msg_controllen = sizeof control};
  sendto(two, "ttl", 3, 0, (struct sockaddr*)&to, sizeof to);
  say("recvmsg with control", recvmsg(one, &header, 0));
  for (struct cmsghdr* c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_type == IP_TTL) say("ttl", *(int*)CMSG_DATA(c));
    if (c->cmsg_type == IP_PKTINFO)
      say("destination is loopback",
          ((struct in_pktinfo*)CMSG_DATA(c))->ipi_addr.s_addr == htonl(INADDR_LOOPBACK));
  }
  say("flags", header.msg_flags);
  close(one);
  connect_to(two, port);
  send(two, "x", 1, 0);
  events(two, POLLIN);
  say("SO_ERROR after sending to nobody", option(two, SOL_SOCKET, SO_ERROR));
  say("SO_ERROR then", option(two, SOL_SOCKET, SO_ERROR));
  say("nothing waits", recvfrom(two, text, sizeof text, MSG_DONTWAIT, (struct sockaddr*)&from,
                                &(socklen_t){sizeof from}));
  say("send to nobody", send(two, "x", 1, 0));
  events(two, POLLIN);
  say("recvfrom nobody", recvfrom(two, text, sizeof text, MSG_DONTWAIT, (struct sockaddr*)&from,
                                  &(socklen_t){sizeof from}));
  say("then", recvfrom(two, text, sizeof text, MSG_DONTWAIT, (struct sockaddr*)&from,
                       &(socklen_t){sizeof from}));
  close(two);
}

static void edges(void) {
  int client, server;
  char text[64];
  pair(&client, &server);
  nonblocking(server);
  int watch = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN | EPOLLET};
  epoll_ctl(watch, EPOLL_CTL_ADD, server, &event);
  say("epoll before", epoll_wait(watch, &event, 1, 0));
  send(client, "a", 1, 0);
  say("epoll after", epoll_wait(watch, &event, 1, 1000));
  say("epoll without reading", epoll_wait(watch, &event, 1, 50));
  send(client, "b", 1, 0);
  say("epoll after more", epoll_wait(watch, &event, 1, 1000));
  say("read", read(server, text, sizeof text));
  pid_t child = fork();
  if (child == 0) {
    close(server);
    _exit(send(client, "child", 5, 0) == 5 ? 0 : 1);
  }
  close(client);
  waitpid(child, NULL, 0);
  say("epoll after the child", epoll_wait(watch, &event, 1, 1000));
  events(server, POLLRDHUP);
  say("read", read(server, text, sizeof text));
  say("read the end", read(server, text, sizeof text));
  close(watch);
  close(server);
}

static void on_signal(int number) {
  (void)number;
}

static void* shut(void* door) {
  nap(100);
  shutdown(*(int*)door, SHUT_RDWR);
  return NULL;
}

static void interruptions(void) {
  int port;
  int door = listener(&port);
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGALRM, &action, NULL);
  struct itimerval soon = {.it_value = {0, 100000}};
  setitimer(ITIMER_REAL, &soon, NULL);
  say("accept interrupted", accept(door, NULL, NULL));
  action.sa_flags = SA_RESTART;
  sigaction(SIGALRM, &action, NULL);
  setitimer(ITIMER_REAL, &soon, NULL);
  pid_t child = fork();
  if (child == 0) {
    nap(300);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    _exit(connect_to(client, port) == 0 ? 0 : 1);
  }
  int server = accept(door, NULL, NULL);
  say("accept restarted", server >= 0);
  int status;
  waitpid(child, &status, 0);
  say("child", status);
  close(server);
  struct timeval wait = {0, 60000};
  setsockopt(door, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  say("accept in vain", accept(door, NULL, NULL));
  wait.tv_usec = 0;
  setsockopt(door, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  pthread_t thread;
  pthread_create(&thread, NULL, shut, &door);
  say("accept of a listener shut down", accept(door, NULL, NULL));
  pthread_join(thread, NULL);
  close(door);
}

static void both_families(void) {
  int door = socket(AF_INET6, SOCK_STREAM, 0);
  struct sockaddr_in6 address = {.sin6_family = AF_INET6};
  socklen_t size = sizeof address;
  say("v6only", option(door, IPPROTO_IPV6, IPV6_V6ONLY));
  say("bind ::", bind(door, (struct sockaddr*)&address, sizeof address));
  listen(door, 4);
  getsockname(door, (struct sockaddr*)&address, &size);
  int client = socket(AF_INET, SOCK_STREAM, 0);
  say("connect over v4", connect_to(client, ntohs(address.sin6_port)));
  size = sizeof address;
  int server = accept(door, (struct sockaddr*)&address, &size);
  char text[INET6_ADDRSTRLEN];
  printf("peer: %s\n", inet_ntop(AF_INET6, &address.sin6_addr, text, sizeof text));
  getsockname(server, (struct sockaddr*)&address, &size);
  printf("own: %s\n", inet_ntop(AF_INET6, &address.sin6_addr, text, sizeof text));
  close(client);
  close(server);
  client = socket(AF_INET6, SOCK_STREAM, 0);
  address.sin6_addr = in6addr_loopback;
  say("connect over v6", connect(client, (struct sockaddr*)&address, sizeof address));
  close(client);
  close(door);
}

// What poll says of a socket: its events as a number.
static long polled(int descriptor) {
  struct pollfd look = {descriptor, POLLIN, 0};
  return poll(&look, 1, 500) < 0 ? -1 : look.revents;
}

// IP_RECVERR: POLLERR until the queue is empty, whoever asks what in between.
static void error_queue(void) {
  char text[64], control[256];
  int udp = socket(AF_INET, SOCK_DGRAM, 0), other = socket(AF_INET, SOCK_DGRAM, 0);
  bind_to(other, 0);
  int port = port_of(other);
  close(other);
  say("queue errors", set(udp, IPPROTO_IP, IP_RECVERR, 1));
  say("want hop limits", set(udp, IPPROTO_IP, IP_RECVTTL, 1));
  say("connect to port 0", connect_to(udp, 0));
  say("connect to a closed port", connect_to(udp, port));
  for (int round = 0; round < 2; ++round) {
    struct iovec part = {text, sizeof text};
    struct sockaddr_in from;
    struct msghdr header = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &part,
                            .msg_iovlen = 1, .msg_control = control,
                            .msg_controllen = sizeof control};
    say("send into nothing", send(udp, "lost", 4, 0));
    say("events of an error", polled(udp));
    say("the error", recvfrom(udp, text, sizeof text, MSG_DONTWAIT, (struct sockaddr*)&from,
                              &(socklen_t){sizeof from}));
    nap(30);
    say("events still", polled(udp));
    say("nothing but the queue", recvfrom(udp, text, sizeof text, MSG_DONTWAIT,
                                          (struct sockaddr*)&from, &(socklen_t){sizeof from}));
    nap(30);
    say("events even then", polled(udp));
    say("the queue", recvmsg(udp, &header, MSG_ERRQUEUE));
    say("its flags", header.msg_flags);
    say("where it went", ntohs(from.sin_port) == port);
    for (struct cmsghdr* each = CMSG_FIRSTHDR(&header); each != NULL;
         each = CMSG_NXTHDR(&header, each))
      say("with", each->cmsg_type);
    say("the queue is empty", recvmsg(udp, &header, MSG_ERRQUEUE));
    struct pollfd look = {udp, POLLIN, 0};
    say("events of nothing", poll(&look, 1, 30));
    say("SO_ERROR", option(udp, SOL_SOCKET, SO_ERROR));
  }
  // The socket itself goes on.
  other = socket(AF_INET, SOCK_DGRAM, 0);
  say("the port opens", bind_to(other, port));
  say("send to it", send(udp, "found", 5, 0));
  struct sockaddr_in peer;
  say("it arrives", recvfrom(other, text, sizeof text, 0, (struct sockaddr*)&peer,
                             &(socklen_t){sizeof peer}));
  say("reply to it", sendto(other, "yes", 3, 0, (struct sockaddr*)&peer, sizeof peer));
  say("events of the reply", polled(udp));
  say("read it", recv(udp, text, sizeof text, 0));
  close(udp);
  nap(30);
  say("its port is free", bind_to(socket(AF_INET, SOCK_DGRAM, 0), ntohs(peer.sin_port)));
  close(other);
}

// A datagram leaves as its socket was set when it was sent, and not as it is set next.
static void in_order(void) {
  char text[8], control[64];
  int from = socket(AF_INET, SOCK_DGRAM, 0), to = socket(AF_INET, SOCK_DGRAM, 0);
  bind_to(to, 0);
  connect_to(from, port_of(to));
  set(to, IPPROTO_IP, IP_RECVTTL, 1);
  for (int hops = 1; hops <= 32; ++hops) {
    set(from, IPPROTO_IP, IP_TTL, hops);
    send(from, "hop", 3, 0);
  }
  int kept = 0;
  for (int hops = 1; hops <= 32; ++hops) {
    struct iovec part = {text, sizeof text};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
                            .msg_controllen = sizeof control};
    if (recvmsg(to, &header, 0) != 3) break;
    struct cmsghdr* first = CMSG_FIRSTHDR(&header);
    kept += first != NULL && *(int*)CMSG_DATA(first) == hops;
  }
  say("datagrams with their own hop limit", kept);
  close(from);
  close(to);
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  signal(SIGPIPE, SIG_IGN);
  alarm(60);
  opening();
  ports();
  connecting();
  talking();
  breaking();
  options();
  datagrams();
  error_queue();
  in_order();
  edges();
  both_families();
  alarm(0);
  interruptions();
  puts("end");
  return 0;
}
