// SPDX-License-Identifier: Apache-2.0
// What TCP_CORK does on this system, a line for each question. Run on Linux and on a virtual host,
// the lines are compared. All is asked of a program that has hardly corked and of one that corks
// all the time, since a virtual host answers the second elsewhere. Loopback only.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char* when;

static void say(const char* question, long value) {
  if (value < 0) {
    printf("%s, %s: %s\n", when, question, strerrorname_np(errno));
  } else {
    printf("%s, %s: %ld\n", when, question, value);
  }
}

static int set(int fd, int on) {
  return setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
}

static int get(int fd) {
  int on = -7;
  socklen_t size = sizeof on;
  return getsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, &size) == 0 ? on : -1;
}

static void connected(int ends[2]) {
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof name;
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  bind(listener, (struct sockaddr*)&name, sizeof name);
  listen(listener, 1);
  getsockname(listener, (struct sockaddr*)&name, &size);
  ends[0] = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(ends[0], (struct sockaddr*)&name, sizeof name) != 0) exit(1);
  ends[1] = accept(listener, NULL, NULL);
  close(listener);
}

static void cork_all_the_time(int fd) {
  for (int i = 0; i < 200; ++i) {
    set(fd, 1);
    set(fd, 0);
  }
}

static int is_readable(int fd, int milliseconds) {
  struct pollfd look = {fd, POLLIN, 0};
  return poll(&look, 1, milliseconds);
}

static void ask_with(const char* question, int fd, const void* value, socklen_t size) {
  say(question, setsockopt(fd, IPPROTO_TCP, TCP_CORK, value, size));
}

static void ask_errors(int fd) {
  const int numbers[4] = {1, 0, 0, 0};
  for (int size = 0; size <= 9; ++size) {
    char question[32];
    snprintf(question, sizeof question, "%d octets", size);
    ask_with(question, fd, numbers, (socklen_t)size);
    say("  then", get(fd));
    set(fd, 0);
  }
  ask_with("a negative size", fd, numbers, (socklen_t)-1);
  ask_with("a null pointer", fd, NULL, sizeof(int));
  ask_with("no memory there", fd, (const void*)16, sizeof(int));
  ask_with("no descriptor", -1, numbers, sizeof(int));
  ask_with("a closed descriptor", 999, numbers, sizeof(int));
  const int file = open("/dev/null", O_RDWR);
  ask_with("a file", file, numbers, sizeof(int));
  const int datagrams = socket(AF_INET, SOCK_DGRAM, 0);
  ask_with("a datagram socket", datagrams, numbers, sizeof(int));
  const int local = socket(AF_UNIX, SOCK_STREAM, 0);
  ask_with("a unix socket", local, numbers, sizeof(int));
  const int fresh = socket(AF_INET, SOCK_STREAM, 0);
  ask_with("a fresh socket", fresh, numbers, sizeof(int));
  say("  then", get(fresh));
  for (int value = -2; value <= 257; value += 37) {
    set(fd, value);
    say("a value", get(fd));
  }
  set(fd, 0);
  close(file);
  close(datagrams);
  close(local);
  close(fresh);
}

static void ask_other_names(int fd) {
  const int copy = dup(fd);
  set(copy, 1);
  say("corked through a copy", get(fd));
  set(fd, 0);
  say("uncorked, the copy says", get(copy));
  const pid_t child = fork();
  if (child == 0) _exit(set(fd, 1));
  int status = -1;
  waitpid(child, &status, 0);
  say("a child corks", status);
  say("its parent sees", get(fd));
  // The number comes to mean another socket, and the first is still open.
  int others[2];
  connected(others);
  set(copy, 0);
  const int number = dup(fd);
  int wrong = 0;
  for (int i = 0; i < 50; ++i) {
    dup2(i % 2 == 0 ? others[0] : fd, number);
    set(number, 1);
    wrong += get(fd) != (i % 2 == 0 ? 0 : 1);
    wrong += get(others[0]) != (i % 2 == 0 ? 1 : 0);
    set(number, 0);
    close(number);
    wrong += set(number, 1) != -1 || errno != EBADF;
  }
  say("a number used again, wrong", wrong);
  close(copy);
  close(others[0]);
  close(others[1]);
}

// The three ways for bytes to stand among corks.
static void ask_order(const int ends[2]) {
  char bytes[400] = {0};
  int whole = 0, at_once = 0, seen = 0;
  for (int i = 0; i < 150; ++i) {
    set(ends[0], 1);
    seen += get(ends[0]) == 1;
    if (write(ends[0], bytes, 100) != 100 || write(ends[0], bytes, 200) != 200) exit(1);
    set(ends[0], 0);
    seen += get(ends[0]) == 0;
    whole += read(ends[1], bytes, sizeof bytes) == 300;
    if (write(ends[1], bytes, 1) != 1 || read(ends[0], bytes, 1) != 1) exit(1);
  }
  say("read at once what was corked", whole);
  say("told of what was set", seen);
  for (int i = 0; i < 30; ++i) {
    if (write(ends[0], bytes, 1) != 1) exit(1);
    set(ends[0], 1);
    at_once += is_readable(ends[1], 100);
    set(ends[0], 0);
    if (read(ends[1], bytes, sizeof bytes) < 1) exit(1);
    if (write(ends[1], bytes, 1) != 1 || read(ends[0], bytes, 1) != 1) exit(1);
  }
  say("came at once what was written before", at_once);
  usleep(300000);  // until no cork is remembered
  set(ends[0], 1);
  if (write(ends[0], bytes, 100) != 100) exit(1);
  say("comes while corked", is_readable(ends[1], 50));
  set(ends[0], 0);
  say("comes then", read(ends[1], bytes, sizeof bytes));
  set(ends[0], 1);
  if (write(ends[0], bytes, 10) != 10) exit(1);
  shutdown(ends[0], SHUT_WR);
  say("corked and shut", read(ends[1], bytes, sizeof bytes));
  say("  then", read(ends[1], bytes, sizeof bytes));
  set(ends[0], 0);
  say("uncorked after that", get(ends[0]));
}

static void* read_all(void* end) {
  static char bytes[65536];
  long all = 0;
  for (ssize_t got = 0; (got = read(*(int*)end, bytes, sizeof bytes)) > 0;) all += got;
  return (void*)all;
}

// More than fits in any buffer on the way, behind one cork.
static void ask_much(void) {
  static char bytes[4000000];
  int ends[2];
  pthread_t reader;
  void* all = NULL;
  connected(ends);
  pthread_create(&reader, NULL, read_all, &ends[1]);
  cork_all_the_time(ends[0]);
  for (int i = 0; i < 3; ++i) {
    set(ends[0], 1);
    if (write(ends[0], bytes, sizeof bytes) != sizeof bytes) exit(1);
    set(ends[0], 0);
  }
  close(ends[0]);
  pthread_join(reader, &all);
  say("much behind a cork", (long)all);
  close(ends[1]);
}

static void* talk(void* unused) {
  (void)unused;
  int ends[2];
  char out[300], in[300];
  long good = 0;
  connected(ends);
  for (int i = 0; i < 300; ++i) {
    memset(out, i, sizeof out);
    set(ends[0], 1);
    if (write(ends[0], out, 100) != 100 || write(ends[0], out + 100, 200) != 200) break;
    set(ends[0], 0);
    if (recv(ends[1], in, sizeof in, MSG_WAITALL) != sizeof in) break;
    good += memcmp(in, out, sizeof in) == 0;
    if (write(ends[1], in, 1) != 1 || read(ends[0], in, 1) != 1) break;
  }
  close(ends[0]);
  close(ends[1]);
  return (void*)good;
}

static void ask_threads(void) {
  pthread_t threads[4];
  long good = 0;
  for (int i = 0; i < 4; ++i) pthread_create(&threads[i], NULL, talk, NULL);
  for (int i = 0; i < 4; ++i) {
    void* result = NULL;
    pthread_join(threads[i], &result);
    good += (long)result;
  }
  say("threads at once", good);
}

int main(void) {
  int ends[2], others[2];
  connected(ends);
  when = "at first";
  ask_errors(ends[0]);
  when = "corking all the time";
  cork_all_the_time(ends[0]);
  ask_errors(ends[0]);
  cork_all_the_time(ends[0]);
  ask_other_names(ends[0]);
  cork_all_the_time(ends[0]);
  ask_order(ends);
  connected(others);
  cork_all_the_time(others[0]);
  ask_threads();
  ask_much();
  cork_all_the_time(others[0]);
  set(others[0], 1);
  if (write(others[0], "and", 3) != 3) return 1;
  char bytes[16];
  say("never uncorked", read(others[1], bytes, sizeof bytes));
  set(others[0], 1);
  if (write(others[0], "corked", 6) != 6) return 1;
  close(others[0]);
  say("corked and closed", read(others[1], bytes, sizeof bytes));
  say("  then", read(others[1], bytes, sizeof bytes));
  return 0;
}
