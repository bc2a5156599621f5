/*
 * The yardstick of bench/arp.ts, and its load.
 *   arp-responder respond IFACE BASE COUNT                    answers ARP for COUNT addresses from BASE, in a poll() loop
 *   arp-responder load IFACE BASE COUNT RATE SECONDS          open loop: RATE requests a second, one latency in ns a line
 *   arp-responder flood IFACE BASE COUNT OUTSTANDING SECONDS  closed loop: prints answers a second
 * Latency runs from just before send() to the kernel's receive time stamp of the answer, so a late reader adds nothing.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static int fd;
static unsigned char mac[6];

static void die(const char *what) { perror(what); exit(1); }

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void open_link(const char *name) {
  fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_ARP));
  if (fd < 0) die("socket");
  struct ifreq request = {0};
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  if (ioctl(fd, SIOCGIFHWADDR, &request) < 0) die(name);
  memcpy(mac, request.ifr_hwaddr.sa_data, 6);
  struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP), .sll_ifindex = if_nametoindex(name)};
  if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) die("bind");
  int size = 1 << 22;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
}

static void fill(unsigned char *frame, const unsigned char *to, int op, uint32_t sender, const unsigned char *target_mac, uint32_t target) {
  static const unsigned char fixed[8] = {8, 6, 0, 1, 8, 0, 6, 4};
  memset(frame, 0, 60);
  memcpy(frame, to, 6);
  memcpy(frame + 6, mac, 6);
  memcpy(frame + 12, fixed, 8);
  frame[21] = op;
  memcpy(frame + 22, mac, 6);
  sender = htonl(sender);
  memcpy(frame + 28, &sender, 4);
  memcpy(frame + 32, target_mac, 6);
  target = htonl(target);
  memcpy(frame + 38, &target, 4);
}

static uint32_t address_at(const unsigned char *frame, int at) {
  uint32_t value;
  memcpy(&value, frame + at, 4);
  return ntohl(value);
}

static void respond(uint32_t base, uint32_t count) {
  unsigned char frame[128], reply[60];
  struct pollfd wait = {fd, POLLIN, 0};
  for (;;) {
    poll(&wait, 1, -1);
    while (recv(fd, frame, sizeof frame, 0) >= 42) {
      if (frame[20] != 0 || frame[21] != 1 || address_at(frame, 38) - base >= count) continue;
      fill(reply, frame + 22, 2, address_at(frame, 38), frame + 22, address_at(frame, 28));
      if (send(fd, reply, 60, 0) < 0) die("send");
    }
  }
}

/* The next answer's place, -1 where none waits. */
static int receive(uint32_t base, uint32_t count, int64_t *at) {
  unsigned char frame[128], control[128];
  struct iovec part = {frame, sizeof frame};
  for (;;) {
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    if (recvmsg(fd, &message, 0) < 0) return -1;
    if (frame[21] != 2 || memcmp(frame, mac, 6) != 0 || address_at(frame, 28) - base >= count) continue;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
      struct timespec t;
      if (c->cmsg_type != SO_TIMESTAMPNS) continue;
      memcpy(&t, CMSG_DATA(c), sizeof t);
      *at = t.tv_sec * 1000000000LL + t.tv_nsec;
    }
    return address_at(frame, 28) - base;
  }
}

static const unsigned char everyone[6] = {255, 255, 255, 255, 255, 255}, nobody[6];

static void ask(uint32_t target) {
  unsigned char frame[60];
  fill(frame, everyone, 1, 0x0a4dfefe, nobody, target);
  send(fd, frame, 60, 0);
}

static void load(uint32_t base, uint32_t count, int rate, int seconds) {
  int64_t *sent = calloc(count, sizeof *sent), start = now_ns(), at = 0;
  int total = rate * seconds, next = 0;
  while (now_ns() < start + seconds * 1000000000LL + 300000000LL) {
    int64_t due = start + (int64_t)next * 1000000000LL / rate, left = due - now_ns();
    if (next < total && left <= 0) {
      uint32_t place = next++ % count;
      if (sent[place]) printf("lost\n");
      sent[place] = now_ns();
      ask(base + place);
      continue;
    }
    struct timespec nap = {0, next < total && left < 10000000 ? left : 10000000};
    struct pollfd wait = {fd, POLLIN, 0};
    ppoll(&wait, 1, &nap, NULL);
    for (int place; (place = receive(base, count, &at)) >= 0; sent[place] = 0)
      if (sent[place]) printf("%lld\n", (long long)(at - sent[place]));
  }
  for (uint32_t place = 0; place < count; place++) if (sent[place]) printf("lost\n");
}

static void flood(uint32_t base, uint32_t count, int outstanding, int seconds) {
  int64_t start = now_ns(), end = start + seconds * 1000000000LL, at = 0;
  long answers = 0;
  uint32_t next = 0;
  int flying = 0;
  while (now_ns() < end) {
    while (flying < outstanding) flying++, ask(base + next++ % count);
    struct pollfd wait = {fd, POLLIN, 0};
    if (poll(&wait, 1, 100) == 0) flying = 0;
    while (receive(base, count, &at) >= 0) flying--, answers++;
  }
  printf("%ld\n", answers / seconds);
}

int main(int argc, char **argv) {
  if (argc < 5) return fputs("see the head of the source\n", stderr), 2;
  uint32_t base = ntohl(inet_addr(argv[3])), count = atoi(argv[4]);
  open_link(argv[2]);
  int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  if (!strcmp(argv[1], "respond")) respond(base, count);
  else if (argc > 6 && !strcmp(argv[1], "load")) load(base, count, atoi(argv[5]), atoi(argv[6]));
  else if (argc > 6 && !strcmp(argv[1], "flood")) flood(base, count, atoi(argv[5]), atoi(argv[6]));
  return 0;
}
