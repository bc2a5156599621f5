/*
 * The yardstick of bench/arp.ts, and its load. BASE is an IPv4 address (ARP) or an IPv6 address (NDP).
 *   arp-responder respond IFACE BASE COUNT [fifo]             answers for COUNT addresses from BASE, in a poll() loop
 *   arp-responder load IFACE BASE COUNT RATE SECONDS          open loop: RATE requests a second, one latency in ns a line
 *   arp-responder flood IFACE BASE COUNT OUTSTANDING SECONDS  closed loop, as of many hosts: prints answers a second
 *   arp-responder burst IFACE BASE COUNT                      COUNT requests at once: prints how many had no answer within 1 s
 * Latency runs from just before send() to the kernel's receive time stamp of the answer, so a late reader adds nothing.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* Requests and answers of one protocol. */
struct protocol {
  int ethertype, length;
  /* The address asked for, as a distance from the base; -1 where the frame is no request. */
  int64_t (*asked)(const unsigned char *frame);
  void (*answer)(unsigned char *reply, const unsigned char *request);
  void (*request)(unsigned char *frame, uint32_t place);
  /* The address answered for; -1 where the frame is no answer to us. */
  int64_t (*answered)(const unsigned char *frame);
};

static int fd;
static unsigned char mac[6], base6[16];
static uint32_t base4;

static void die(const char *what) { perror(what); exit(1); }

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static uint32_t word_at(const unsigned char *bytes) {
  uint32_t value;
  memcpy(&value, bytes, 4);
  return ntohl(value);
}

static void put_word(unsigned char *bytes, uint32_t value) {
  value = htonl(value);
  memcpy(bytes, &value, 4);
}

/* ARP, RFC 826 */

static void fill_arp(unsigned char *frame, const unsigned char *to, int op, uint32_t sender, const unsigned char *target_mac, uint32_t target) {
  static const unsigned char fixed[8] = {8, 6, 0, 1, 8, 0, 6, 4};
  memset(frame, 0, 60);
  memcpy(frame, to, 6);
  memcpy(frame + 6, mac, 6);
  memcpy(frame + 12, fixed, 8);
  frame[21] = op;
  memcpy(frame + 22, mac, 6);
  put_word(frame + 28, sender);
  memcpy(frame + 32, target_mac, 6);
  put_word(frame + 38, target);
}

static int64_t arp_asked(const unsigned char *frame) {
  return frame[20] == 0 && frame[21] == 1 ? word_at(frame + 38) - base4 : -1;
}

static void arp_answer(unsigned char *reply, const unsigned char *request) {
  fill_arp(reply, request + 22, 2, word_at(request + 38), request + 22, word_at(request + 28));
}

static void arp_request(unsigned char *frame, uint32_t place) {
  static const unsigned char everyone[6] = {255, 255, 255, 255, 255, 255}, nobody[6];
  fill_arp(frame, everyone, 1, 0x0a4dfefe, nobody, base4 + place);
}

static int64_t arp_answered(const unsigned char *frame) {
  return frame[21] == 2 && memcmp(frame, mac, 6) == 0 ? word_at(frame + 28) - base4 : -1;
}

/* NDP, RFC 4861 sections 4.3 and 4.4; addresses differ from the base in their last four bytes. */

enum { SOURCE = 22, DESTINATION = 38, TYPE = 54, TARGET = 62, OPTION = 78 };

static uint16_t checksum(const unsigned char *frame) {
  uint32_t sum = 58 + 32;
  for (int at = SOURCE; at < 86; at += 2) sum += frame[at] << 8 | frame[at + 1];
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum;
}

static void fill_ndp(unsigned char *frame, const unsigned char *to, const unsigned char *source, const unsigned char *destination, int type, int flags, const unsigned char *target) {
  static const unsigned char header[8] = {0x60, 0, 0, 0, 0, 32, 58, 255};
  memset(frame, 0, 86);
  memcpy(frame, to, 6);
  memcpy(frame + 6, mac, 6);
  frame[12] = 0x86, frame[13] = 0xdd;
  memcpy(frame + 14, header, 8);
  memcpy(frame + SOURCE, source, 16);
  memcpy(frame + DESTINATION, destination, 16);
  frame[TYPE] = type;
  frame[58] = flags;
  memcpy(frame + TARGET, target, 16);
  frame[OPTION] = type == 135 ? 1 : 2, frame[OPTION + 1] = 1;
  memcpy(frame + OPTION + 2, mac, 6);
  uint16_t sum = checksum(frame);
  frame[56] = sum >> 8, frame[57] = sum;
}

static int64_t place6(const unsigned char *address) {
  return memcmp(address, base6, 12) == 0 ? (int64_t)word_at(address + 12) - word_at(base6 + 12) : -1;
}

static int is_ndp(const unsigned char *frame, int type) {
  return frame[20] == 58 && frame[21] == 255 && frame[TYPE] == type && checksum(frame) == 0;
}

static int64_t ndp_asked(const unsigned char *frame) { return is_ndp(frame, 135) ? place6(frame + TARGET) : -1; }

static void ndp_answer(unsigned char *reply, const unsigned char *request) {
  fill_ndp(reply, request + OPTION + 2, request + TARGET, request + SOURCE, 136, 0x60, request + TARGET);
}

static void ndp_request(unsigned char *frame, uint32_t place) {
  static const unsigned char source[16] = {0xfe, 0x80, [15] = 0xfe};
  unsigned char to[6] = {0x33, 0x33, 0xff}, group[16] = {0xff, 2, [11] = 1, 0xff}, target[16];
  memcpy(target, base6, 16);
  put_word(target + 12, word_at(base6 + 12) + place);
  memcpy(to + 3, target + 13, 3);
  memcpy(group + 13, target + 13, 3);
  fill_ndp(frame, to, source, group, 135, 0, target);
}

static int64_t ndp_answered(const unsigned char *frame) {
  return memcmp(frame, mac, 6) == 0 && is_ndp(frame, 136) ? place6(frame + TARGET) : -1;
}

static const struct protocol arp = {ETH_P_ARP, 60, arp_asked, arp_answer, arp_request, arp_answered},
                             ndp = {ETH_P_IPV6, 86, ndp_asked, ndp_answer, ndp_request, ndp_answered};

static void open_link(const char *name, int ethertype) {
  fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ethertype));
  if (fd < 0) die("socket");
  struct ifreq request = {0};
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  if (ioctl(fd, SIOCGIFHWADDR, &request) < 0) die(name);
  memcpy(mac, request.ifr_hwaddr.sa_data, 6);
  struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ethertype), .sll_ifindex = if_nametoindex(name)};
  if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) die("bind");
  int size = 1 << 23;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
}

/* A responder has to join the group of each address to hear of it; the kernel looks all of them through for a packet. */
static void join_groups(const char *name, uint32_t count) {
  struct ipv6_mreq request = {.ipv6mr_interface = if_nametoindex(name)};
  int member = -1;
  for (uint32_t place = 0; place < count; place++) {
    unsigned char frame[128];
    ndp_request(frame, place);
    memcpy(&request.ipv6mr_multiaddr, frame + DESTINATION, 16);
    while (member < 0 || setsockopt(member, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof request) < 0) {
      if (member >= 0 && errno != ENOMEM) die("IPV6_JOIN_GROUP");
      if ((member = socket(AF_INET6, SOCK_DGRAM, 0)) < 0) die("socket");
    }
  }
}

static void respond(const struct protocol *p, uint32_t count) {
  unsigned char frame[128], reply[128];
  struct pollfd wait = {fd, POLLIN, 0};
  for (;;) {
    poll(&wait, 1, -1);
    while (recv(fd, frame, sizeof frame, 0) >= 42) {
      int64_t place = p->asked(frame);
      if (place < 0 || place >= count) continue;
      p->answer(reply, frame);
      if (send(fd, reply, p->length, 0) < 0) die("send");
    }
  }
}

/* The next answer's place, -1 where none waits. */
static int64_t receive(const struct protocol *p, uint32_t count, int64_t *at) {
  unsigned char frame[128], control[128];
  struct iovec part = {frame, sizeof frame};
  for (;;) {
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    if (recvmsg(fd, &message, 0) < 0) return -1;
    int64_t place = p->answered(frame);
    if (place < 0 || place >= count) continue;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
      struct timespec t;
      if (c->cmsg_type != SO_TIMESTAMPNS) continue;
      memcpy(&t, CMSG_DATA(c), sizeof t);
      *at = t.tv_sec * 1000000000LL + t.tv_nsec;
    }
    return place;
  }
}

/* From the host with this number; 0 is this one. Answers come here all the same: they go to the address inside the request. */
static void ask(const struct protocol *p, uint32_t place, uint16_t host) {
  unsigned char frame[128];
  p->request(frame, place);
  frame[10] ^= host >> 8, frame[11] ^= host;
  send(fd, frame, p->length, 0);
}

/* Answers are waited for a second longer than the last request. */
static void load(const struct protocol *p, uint32_t count, int rate, int seconds) {
  int64_t *sent = calloc(count, sizeof *sent), start = now_ns(), at = 0;
  int total = rate * seconds, next = 0;
  while (now_ns() < start + (seconds + 1) * 1000000000LL) {
    int64_t due = start + (int64_t)next * 1000000000LL / rate, left = due - now_ns();
    if (next < total && left <= 0) {
      uint32_t place = next++ % count;
      if (sent[place]) printf("lost\n");
      sent[place] = now_ns();
      ask(p, place, 0);
      continue;
    }
    struct timespec nap = {0, next < total && left < 10000000 ? left : 10000000};
    struct pollfd wait = {fd, POLLIN, 0};
    ppoll(&wait, 1, &nap, NULL);
    for (int64_t place; (place = receive(p, count, &at)) >= 0; sent[place] = 0)
      if (sent[place]) printf("%lld\n", (long long)(at - sent[place]));
  }
  for (uint32_t place = 0; place < count; place++) if (sent[place]) printf("lost\n");
}

static void flood(const struct protocol *p, uint32_t count, int outstanding, int seconds) {
  int64_t start = now_ns(), end = start + seconds * 1000000000LL, at = 0;
  long answers = 0;
  uint32_t next = 0;
  int flying = 0;
  while (now_ns() < end) {
    for (; flying < outstanding; flying++, next++) ask(p, next % count, next);
    struct pollfd wait = {fd, POLLIN, 0};
    if (poll(&wait, 1, 100) == 0) flying = 0;
    while (receive(p, count, &at) >= 0) flying--, answers++;
  }
  printf("%ld\n", answers / seconds);
}

static void burst(const struct protocol *p, uint32_t count) {
  unsigned char *answered = calloc(count, 1);
  uint32_t left = count;
  int64_t place, at = 0;
  for (uint32_t next = 0; next < count; next++) ask(p, next, 0);
  for (struct pollfd wait = {fd, POLLIN, 0}; left > 0 && poll(&wait, 1, 1000) > 0;)
    while ((place = receive(p, count, &at)) >= 0) left -= !answered[place], answered[place] = 1;
  printf("%u\n", left);
}

int main(int argc, char **argv) {
  if (argc < 5) return fputs("see the head of the source\n", stderr), 2;
  int is6 = strchr(argv[3], ':') != NULL, count = atoi(argv[4]), on = 1;
  const struct protocol *p = is6 ? &ndp : &arp;
  if (is6 ? inet_pton(AF_INET6, argv[3], base6) != 1 : inet_pton(AF_INET, argv[3], &base4) != 1) die(argv[3]);
  base4 = ntohl(base4);
  open_link(argv[2], p->ethertype);
  setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  struct sched_param priority = {10};
  if (argc > 5 && !strcmp(argv[5], "fifo") && sched_setscheduler(0, SCHED_FIFO, &priority) < 0) die("sched_setscheduler");
  if (!strcmp(argv[1], "respond")) {
    if (is6) join_groups(argv[2], count);
    puts("ready");
    fflush(stdout);
    respond(p, count);
  }
  if (argc > 6 && !strcmp(argv[1], "load")) load(p, count, atoi(argv[5]), atoi(argv[6]));
  else if (argc > 6 && !strcmp(argv[1], "flood")) flood(p, count, atoi(argv[5]), atoi(argv[6]));
  else if (!strcmp(argv[1], "burst")) burst(p, count);
  return 0;
}
