// SPDX-License-Identifier: BSD-3-Clause
/* pcap_format.h -- the classic pcap file format, as far as the switch reads and writes it */

#ifndef SWITCH_PCAP_FORMAT_H
#define SWITCH_PCAP_FORMAT_H

#include <stdint.h>

#define PCAP_MICRO    0xa1b2c3d4u /* record times in microseconds */
#define PCAP_NANO     0xa1b23c4du
#define PCAP_ETHERNET 1u
#define PCAP_SNAPLEN  262144u

struct pcap_head {
    uint32_t magic;
    uint16_t major, minor;
    uint32_t zone, sigfigs, snaplen, network;
};
_Static_assert(sizeof(struct pcap_head) == 24, "pcap");

struct pcap_record {
    uint32_t seconds, fraction, kept, len;
};
_Static_assert(sizeof(struct pcap_record) == 16, "pcap");

static inline struct pcap_head pcap_head_nano(uint32_t snaplen)
{
    return (struct pcap_head){PCAP_NANO, 2, 4, 0, 0, snaplen, PCAP_ETHERNET};
}

#endif
