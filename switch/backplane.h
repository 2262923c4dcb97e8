// SPDX-License-Identifier: BSD-3-Clause
/*
 * backplane.h -- the software switch: networks, ports and the threads that move packets
 *
 *     struct backplane *bp = backplane_new(NULL, &d);
 *     uint32_t lan, port;
 *
 *     backplane_start(bp, &d);
 *     backplane_add_network(bp, &(struct network_config){.name = "lan"}, &lan, &d);
 *     backplane_add_port(bp, &(struct port_config){
 *         .name = "fw.0", .network = lan, .kind = PORT_VM,
 *         .vm = {.memory_fd = fd, .interface = 0, .wake_fd = w, .doorbell_fd = b}},
 *         &port, &d);
 *     ...
 *     backplane_free(bp);
 *
 * A network is an isolated layer-2 segment: a learning switch, or a wire that joins two
 * ports without a look-up. A port belongs to one network and is of one kind. Packets go
 * from the memory of one port to the memory of another with one copy.
 *
 * "In" is into the switch (what a VM sent), "out" is out of the switch.
 *
 * Threads: every function may be called from any thread, at any time, with workers
 *          running and traffic flowing; changes are made while the workers stand still
 *          between two batches, which takes them some microseconds. One exception: no
 *          other call may be under way during backplane_free().
 * Memory:  configurations, their strings and arrays are copied or used up before a call
 *          returns. File descriptors in a configuration are duplicated: they stay the
 *          caller's, who may close them as soon as the call is back.
 * Ids:     0 is never an id. An id is not used again after its network or port is gone:
 *          calls with a stale one fail and harm nobody.
 * Errors:  functions with a diag return -1 and leave everything as it was.
 */

#ifndef SWITCH_BACKPLANE_H
#define SWITCH_BACKPLANE_H

#include "base/diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BACKPLANE_NAME        64u    /* bytes of a name with its NUL */
#define BACKPLANE_MAX_PORTS   65535u /* at one time */
#define BACKPLANE_MAX_WORKERS 16u

struct backplane;

/* ---- the whole ------------------------------------------------------------------ */

/* Zero means the default everywhere. */
struct backplane_config {
    unsigned n_workers;   /* default 1 */
    unsigned budget;      /* packets taken from a port before the next one's turn: 64 */
    uint64_t poll_min_ns; /* a port is polled at least and at most this long without */
    uint64_t poll_max_ns; /* traffic before it is put to sleep: 5000 and 200000;
                           * the time between adapts to what waiting would have saved.
                           * Ringing costs a VM's processor 50 us where the KVM is slow:
                           * the longest should be some times that, or a VM that fills
                           * its ring finds us asleep each time it has done so */
};

/* `config` may be NULL. Returns NULL on failure. */
struct backplane *backplane_new(const struct backplane_config *config, struct diag *d);

/* Stops the workers, removes everything; accepts NULL. */
void backplane_free(struct backplane *bp);

/* Start the worker threads; they block all signals. Ports and networks may be added
 * before and after. Starting twice and stopping twice do nothing. */
int backplane_start(struct backplane *bp, struct diag *d);
void backplane_stop(struct backplane *bp);

/* Many changes between the two, by the same thread, halt the workers only once. They stand
 * still all the while: what takes long is done before. */
void backplane_hold(struct backplane *bp);
void backplane_release(struct backplane *bp);

/* What happened without being asked for. The fd becomes readable (poll or epoll) while
 * events wait and belongs to the backplane. backplane_next_event() takes the oldest one:
 * false when there is none. */
enum backplane_event_kind {
    EVENT_PORT_DOWN = 1, /* the port can do nothing any more: device or peer is gone */
    EVENT_PORT_DONE,     /* pcap file played, generator's count reached */
    EVENT_PORT_FAULT,    /* the port goes on, but loses packets: disk full, bad rings */
    EVENT_CAPTURE_DONE,  /* a capture has ended by itself; `capture` says which */
    EVENT_LOST,          /* nobody looked for so long that events were thrown away */
};

struct backplane_event {
    enum backplane_event_kind kind;
    uint32_t port, network, capture; /* ids or 0 */
    char text[256];                  /* one line for people, naming the port */
};

int backplane_event_fd(const struct backplane *bp);
bool backplane_next_event(struct backplane *bp, struct backplane_event *event);

/* What the workers did since the start; for tests, benchmarks and `clickos top`. */
struct backplane_totals {
    uint64_t rounds;    /* turns of the main loops */
    uint64_t sleeps;    /* times a worker slept because nothing moved */
    uint64_t n_active;  /* ports that are being polled now */
    uint64_t packets;   /* taken in from ports */
    uint64_t n_ports;   /* attached */
    uint64_t n_workers; /* running */
};
void backplane_totals(struct backplane *bp, struct backplane_totals *totals);

/* ---- networks ------------------------------------------------------------------- */

enum network_mode {
    NETWORK_LEARN, /* a switch: learns which address is behind which port */
    NETWORK_WIRE,  /* two ports, all that goes in at one comes out at the other */
};

/* What goes to many, and is limited apart by a second's packets, at the port it comes in
 * by. 0: no limit. */
enum storm {
    STORM_ALL, /* the other three together */
    STORM_BROADCAST,
    STORM_MULTICAST,
    STORM_UNKNOWN, /* to one address that nobody has */
    STORMS
};

struct network_config {
    const char *name; /* unique among networks */
    enum network_mode mode;

    /* NETWORK_WIRE: leave packets with the sender while the receiver is full or there is
     * none, instead of dropping them. */
    bool backpressure;

    /* NETWORK_LEARN; zero means the default. */
    uint32_t max_addresses; /* of the table: 100000, at most 16 million */
    uint32_t port_limit;    /* addresses learned a port: no limit */
    uint32_t age_s;         /* an address not heard of for so long is forgotten: 300 */
    uint32_t storm_pps[STORMS]; /* of each port that says nothing else: no limit */
};

int backplane_add_network(struct backplane *bp, const struct network_config *config,
                          uint32_t *network, struct diag *d);

/* Takes the ports of the network away with it. */
int backplane_remove_network(struct backplane *bp, uint32_t network, struct diag *d);

struct network_info {
    uint32_t network;
    char name[BACKPLANE_NAME];
    enum network_mode mode;
    bool backpressure;
    uint32_t max_addresses, port_limit, age_s, storm_pps[STORMS];
    uint32_t n_ports, n_addresses;
    uint64_t evicted; /* addresses that a crowded table gave up before their time */
};

/* 0 when there is none of that name. */
uint32_t backplane_find_network(struct backplane *bp, const char *name);
bool backplane_network_info(struct backplane *bp, uint32_t network,
                            struct network_info *info);

/* Ids of all networks in the order of their making, at most `room`; returns how many
 * there are. The same for the ports of a network, or of all with network 0. */
size_t backplane_list_networks(struct backplane *bp, uint32_t *ids, size_t room);
size_t backplane_list_ports(struct backplane *bp, uint32_t network, uint32_t *ids,
                            size_t room);

/* Addresses of a learning network. A static one is bound to its port until it is removed
 * or the port is; it neither ages nor moves, and no other port can have it. */
struct address_info {
    uint8_t mac[6];
    bool fixed;     /* static */
    uint32_t port;  /* id */
    uint32_t age_s; /* since it was heard of; 0 for static ones */
};
int backplane_add_address(struct backplane *bp, uint32_t port, const uint8_t mac[6],
                          struct diag *d);
int backplane_remove_address(struct backplane *bp, uint32_t network,
                             const uint8_t mac[6], struct diag *d);
size_t backplane_list_addresses(struct backplane *bp, uint32_t network,
                                struct address_info *list, size_t room);

/* ---- ports ---------------------------------------------------------------------- */

enum port_kind {
    PORT_VM = 1,
    PORT_TAP,
    PORT_PACKET, /* AF_PACKET on an existing interface */
    PORT_PCAP_IN,
    PORT_PCAP_OUT,
    PORT_GENERATOR,
    PORT_SINK,
    PORT_XDP, /* AF_XDP on an existing interface */
    PORT_LOT, /* parked interfaces of VMs; made by backplane_park() */
};
const char *backplane_kind_name(enum port_kind kind); /* "vm", "tap", "pcap-in", ... */

/* An interface of a VM: abi/netmem.h. */
struct vm_port_config {
    /* The packet memory, a memfd made with MFD_ALLOW_SEALING: it is sealed against
     * shrinking, and refused if that cannot be. Its head must have been filled in.
     * Traffic goes on from the indices that are found in it. */
    int memory_fd;
    uint32_t interface; /* number, below netmem_head.n_ifs */
    int wake_fd;        /* eventfd, host to guest: 1 is added to wake the guest */
    int doorbell_fd;    /* eventfd, guest to host; must not be shared between ports */
};

struct tap_port_config {
    const char
        *ifname;       /* made if it does not exist; "%d" in it counts; NULL: "tap%d" */
    const char *netns; /* NULL: ours; a name of `ip netns`, or a path with a '/' */
    int netns_fd;      /* instead of `netns`; <= 0: none */
    const uint8_t *mac; /* of the kernel's side; NULL: the kernel chooses one */
    uint32_t mtu;       /* 0: leave it */
    bool leave_down;    /* do not set the interface up */
    bool no_offload;    /* never take segments and unfinished checksums */
};

struct packet_port_config {
    const char *ifname;
    const char *netns; /* as above */
    int netns_fd;
};

struct xdp_port_config {
    const char *ifname;
    const char *netns; /* as above */
    int netns_fd;
    uint32_t queue; /* of the interface; what comes in on others stays the kernel's */
};

struct pcap_in_config {
    const char
        *path;    /* pcap, Ethernet, microseconds or nanoseconds, either byte order */
    int fd;       /* instead of `path`; <= 0: none. Must be able to seek to repeat */
    bool timed;   /* keep the recorded distances; otherwise as fast as possible */
    double speed; /* of `timed`: 2 is twice as fast; 0: 1 */
    uint64_t repeat; /* how often to play it: 0: once, UINT64_MAX: without end */
};

struct pcap_out_config {
    const char *path; /* made or emptied */
    int fd;           /* instead of `path`; <= 0: none */
    uint32_t snaplen; /* bytes kept of a packet; 0: 262144 */
};

#define GENERATOR_SIZES 16u
#define GENERATOR_FLOWS 65536u

/* UDP over IPv4 with a sequence number a flow and a time in each packet. */
struct generator_config {
    double rate_pps;                 /* 0: as fast as possible */
    uint64_t count;                  /* packets; 0: without end */
    uint32_t n_sizes;                /* 0: one size, 64 */
    uint16_t sizes[GENERATOR_SIZES]; /* bytes of a frame without FCS, 64 to 1900, sent
                                      * in turn */
    bool imix;                       /* 64 x 7, 594 x 4, 1518 x 1 instead of sizes */
    uint32_t flows;                  /* source port and address vary; 0: 1 */
    uint16_t stream;                 /* tells generators apart at a sink */
    uint8_t src_mac[6], dst_mac[6];  /* all 0: 02:00:00:00:ss:ss, broadcast */
    uint32_t
        spread; /* flow f goes to dst_mac + f % spread, in its last 2 bytes; 0: 1 */
    uint32_t src_ip, dst_ip;     /* host byte order; 0: 10.0.0.1, 10.0.0.2 */
    uint16_t src_port, dst_port; /* of the first flow; 0: 1024, 9 */
};

/* Counts what comes, and reads what a generator wrote into it. */
struct sink_config {
    uint32_t max_flows; /* of all streams that are followed one by one; 0: 65536 */
};

/* Rates are kept by token buckets. Inwards a packet waits with its sender, outwards it is
 * dropped (DROP_RATE). Zero: no limit. */
struct rate_limit {
    uint64_t pps;
    uint64_t bps;           /* bits of frames a second, without preamble and FCS */
    uint64_t burst_packets; /* 0: what the rate gives in 10 ms, at least 64 */
    uint64_t burst_bytes;   /* 0: the same, at least 64 full packets */
};

#define PORT_MAX_ALLOWED 16u

/* Source addresses a port may use; a list of none allows all. An IP address whose last
 * bits are free stands for a prefix. Checked in ARP and in IPv6 neighbour discovery, too.
 * Where IPv6 addresses are checked, the link-local ones that follow from `macs` are allowed
 * as well. */
struct port_allow {
    uint32_t n_macs, n_ip4, n_ip6;
    bool other_family_refused; /* a list of IPv4 alone allows no IPv6, and vice versa */
    uint8_t macs[PORT_MAX_ALLOWED][6];
    uint32_t ip4[PORT_MAX_ALLOWED]; /* host byte order */
    uint8_t ip6[PORT_MAX_ALLOWED][16];
    uint8_t ip4_free[PORT_MAX_ALLOWED], ip6_free[PORT_MAX_ALLOWED]; /* bits: 32, 128 at
                                                                     * most */
};

/* ---- parking -------------------------------------------------------------------- */

/* An interface of a VM that does not run now. The packets that its port would have got are
 * kept, 64 of them at most, and given to the port that takes its place. */
struct parked;

#define PARK_MAX_IPS 4u

struct park_config {
    const char *name; /* of its port */
    uint32_t network;
    uint8_t mac[6];
    bool own_only; /* wake for packets to its own addresses, those learned behind it and
                    * ARP requests for `ip4`; not for all that is flooded */
    uint32_t n_ip4;
    uint32_t ip4[PARK_MAX_IPS]; /* network byte order */
    void *ctx;                  /* for backplane_next_wanted() */
};

/* Park an interface in the place of `port`, which is removed (0: there is none yet). NULL
 * and a message on failure. What is returned is good until backplane_unpark(), or until
 * its network is removed. */
struct parked *backplane_park(struct backplane *bp, uint32_t port,
                              const struct park_config *config, struct diag *d);

/* More interfaces will be parked than those that are, but it is not known yet which: what
 * may be for one of them is kept, in all networks that there are, until it is parked or
 * until `more` is false again. */
void backplane_expect_parked(struct backplane *bp, bool more);

/* Make a port of it again, which gets what was kept; with `config` NULL forget it. */
struct port_config;
int backplane_unpark(struct backplane *bp, struct parked *parked,
                     const struct port_config *config, uint32_t *port, struct diag *d);

/* The ctx of an interface that a packet waits for; NULL: none. The event fd is readable
 * until all were taken. Each is told once, and again with the next packet. */
void *backplane_next_wanted(struct backplane *bp);

/* What can be changed while the port runs. */
struct port_settings {
    bool disabled;    /* takes and gives nothing; the peer's packets wait or are lost */
    bool promiscuous; /* gets a copy of all packets of its network */
    struct rate_limit in, out;
    uint64_t storm_pps[STORMS]; /* 0: as its network has it */
    struct port_allow allow;
};

struct port_config {
    const char *name; /* unique among ports */
    uint32_t network; /* id */
    struct port_settings settings;
    enum port_kind kind;
    union {
        struct vm_port_config vm;
        struct tap_port_config tap;
        struct packet_port_config packet;
        struct xdp_port_config xdp;
        struct pcap_in_config pcap_in;
        struct pcap_out_config pcap_out;
        struct generator_config generator;
        struct sink_config sink;
    };
};

int backplane_add_port(struct backplane *bp, const struct port_config *config,
                       uint32_t *port, struct diag *d);

/* When this is back, nothing of the port's memory or devices is in use any more. */
int backplane_remove_port(struct backplane *bp, uint32_t port, struct diag *d);

int backplane_set_port(struct backplane *bp, uint32_t port,
                       const struct port_settings *settings, struct diag *d);
bool backplane_get_port(struct backplane *bp, uint32_t port,
                        struct port_settings *settings);

enum port_state { PORT_UP = 1, PORT_DISABLED, PORT_DONE, PORT_DOWN };
const char *backplane_state_name(enum port_state state);

struct port_info {
    uint32_t port, network;
    char name[BACKPLANE_NAME];
    enum port_kind kind;
    enum port_state state;
    char device[BACKPLANE_NAME]; /* interface or file name; "" for others */
    char trouble[256];           /* why it is down or faulty; "" */
    bool asleep;                 /* waits for its doorbell */
};
uint32_t backplane_find_port(struct backplane *bp, const char *name);
bool backplane_port_info(struct backplane *bp, uint32_t port, struct port_info *info);

/* Why packets were dropped. Counted at the port that caused it: the sender for what it
 * sent, the receiver for what it did not take. */
enum drop_reason {
    /* counted at the sender */
    DROP_BAD_SLOT,  /* buffer number, offset or length outside of the memory */
    DROP_RUNT,      /* shorter than an Ethernet header */
    DROP_NO_PORT,   /* no other port to go to: a loose wire, a network of one */
    DROP_SAME_PORT, /* the destination is behind the port it came from */
    DROP_STORM,     /* too many packets to many: enum storm, and in its order */
    DROP_BROADCAST,
    DROP_MULTICAST,
    DROP_UNKNOWN,
    DROP_SPOOF,    /* a source address the port may not use */
    DROP_TOO_MANY, /* a packet of more slots than a packet may have */
    /* counted at the receiver */
    DROP_FULL,       /* the receiver has no room: it is too slow */
    DROP_BAD_BUFFER, /* the receiver offered a buffer that does not exist */
    DROP_TOO_LONG,   /* longer than the receiver can take */
    DROP_OFFLOAD,    /* segmentation the receiver does not understand */
    DROP_RATE,       /* above the receiver's rate limit */
    DROP_DISABLED,   /* the receiver is disabled */
    DROP_DEVICE,     /* the kernel, the disk or the reader refused it */
    DROP_REASONS
};
const char *backplane_drop_name(enum drop_reason reason); /* "full", "bad-slot", ... */
const char *backplane_drop_help(enum drop_reason reason); /* a sentence */

struct port_stats {
    uint64_t in_packets, in_bytes;   /* forwarded or dropped after they were read */
    uint64_t out_packets, out_bytes; /* delivered */
    uint64_t drops[DROP_REASONS];
    uint64_t bad_rings; /* times the peer's indices made no sense */
    uint64_t wakes;     /* times the peer was woken */
    uint64_t doorbells; /* times the peer woke us */
    uint64_t sleeps;    /* times the port was put to sleep */
    uint64_t waits;     /* times packets waited for the rate limit or backpressure */
    uint64_t floods;    /* packets in to a group or an unknown address, of which: */
    uint64_t broadcasts, multicasts;
};
bool backplane_port_stats(struct backplane *bp, uint32_t port,
                          struct port_stats *stats);
int backplane_reset_stats(struct backplane *bp, uint32_t port, struct diag *d);

/* What a sink has seen. The histogram's buckets are logarithmic with 8 steps to a power
 * of two; backplane_latency_ns() gives a bucket's lower edge. */
#define SINK_BUCKETS 512u
struct sink_report {
    uint64_t packets, bytes;
    uint64_t foreign;           /* not from a generator */
    uint64_t flows;             /* that were seen */
    uint64_t untracked;         /* packets of flows above max_flows */
    uint64_t lost;              /* sequence numbers that never came, as of now */
    uint64_t reordered;         /* came after a later one of their flow */
    uint64_t first_ns, last_ns; /* steady clock: of the first and the last packet */
    uint64_t latency_min_ns, latency_max_ns, latency_sum_ns, latency_count;
    uint64_t latency[SINK_BUCKETS];
};
bool backplane_sink_report(struct backplane *bp, uint32_t port,
                           struct sink_report *report);
uint64_t backplane_latency_ns(unsigned bucket);

/* The latency that `share` (0 to 1) of the packets did not exceed. */
uint64_t backplane_latency_quantile(const struct sink_report *report, double share);

/* ---- capture -------------------------------------------------------------------- */

enum capture_direction { CAPTURE_IN = 1, CAPTURE_OUT = 2, CAPTURE_BOTH = 3 };

/* A copy of a port's packets as a pcap stream (nanoseconds) into a file, pipe or socket.
 * The worker never waits for the reader: what does not fit is counted as missed. */
struct capture_config {
    uint32_t port; /* id; 0: all ports of `network`, what goes into the switch */
    uint32_t network;
    enum capture_direction direction; /* 0: both */
    int fd;                           /* duplicated; a pipe is made non-blocking */
    uint32_t snaplen;                 /* 0: 262144 */
    uint64_t count;                   /* packets; 0: until it is stopped */
};

struct capture_stats {
    uint64_t packets, bytes, missed;
    bool done; /* count reached or the reader has gone */
};

int backplane_start_capture(struct backplane *bp, const struct capture_config *config,
                            uint32_t *capture, struct diag *d);
bool backplane_capture_stats(struct backplane *bp, uint32_t capture,
                             struct capture_stats *stats);
int backplane_stop_capture(struct backplane *bp, uint32_t capture, struct diag *d);

#endif
