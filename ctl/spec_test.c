// SPDX-License-Identifier: BSD-3-Clause
/* Requests as JSON: what is taken, what is refused, and with which words. */

#include "base/confhead.h"
#include "ctl/portspec.h"
#include "ctl/spec.h"
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

static struct diag d;

SETUP()
{
    d = DIAG_INIT;
}

TEARDOWN()
{
    diag_fini(&d);
}

static const char *vm_error(const char *text)
{
    struct spec_vm v;

    diag_reset(&d);
    if (spec_vm_read(&v, text, strlen(text), &d) == 0) {
        spec_vm_fini(&v);
        return "";
    }
    return d.messages[0].text;
}

static const char *port_error(const char *text)
{
    struct spec_port p;

    diag_reset(&d);
    if (spec_port_read(&p, text, strlen(text), &d) == 0) {
        spec_port_fini(&p);
        return "";
    }
    return d.messages[0].text;
}

TEST(a_vm_is_read)
{
    const char *text = "{\"name\": \"fw\", \"isolation\": \"kvm\", \"memory\": \"16M\","
                       "\"interfaces\": [{\"network\": \"left\"}, {},"
                       "{\"network\": \"r\", \"mac\": \"02:00:00:00:00:09\"}]}";
    struct spec_vm v;

    EXPECT_EQ(spec_vm_read(&v, text, strlen(text), &d), 0);
    EXPECT_STR(v.name, "fw");
    EXPECT_EQ(v.isolation, VMM_KVM);
    EXPECT_EQ(v.memory, 16u << 20);
    EXPECT_EQ(v.n_ifs, 3);
    EXPECT_STR(v.ifs[0].network, "left");
    EXPECT(v.ifs[1].network == NULL);
    EXPECT_EQ(v.ifs[2].mac[5], 9);
    EXPECT_EQ(v.ifs[0].mac[0], 2);
    EXPECT(v.config == NULL);
    spec_vm_fini(&v);
}

TEST(a_wrong_vm_is_refused_with_a_line_that_names_the_member)
{
    EXPECT_STR(vm_error(""), "a VM needs a name");
    EXPECT_STR(vm_error("[]"), "the request must be a JSON object");
    EXPECT(strstr(vm_error("{"), "the request is no JSON"));
    EXPECT_STR(vm_error("{\"nam\": 1}"), "unknown member 'nam': did you mean 'name'?");
    EXPECT_STR(vm_error("{\"name\": 1}"), "'name' must be a string");
    EXPECT(strstr(vm_error("{\"name\": \"a/b\"}"), "'a/b' is no VM name"));
    EXPECT_STR(vm_error("{\"name\": \"a\", \"isolation\": \"xen\"}"),
               "'xen' is no isolation: use auto, kvm or process");
    EXPECT_STR(vm_error("{\"name\": \"a\", \"memory\": 5}"),
               "'memory' is 5, but must be a number from 1M to 512M");
    EXPECT_STR(vm_error("{\"name\": \"a\", \"memory\": \"much\"}"),
               "'memory' is 'much', but must be a number from 1M to 512M");
    EXPECT_STR(vm_error("{\"name\": \"a\", \"memory\": \"3x\"}"),
               "'memory' is '3x', but must be a number from 1M to 512M");
    EXPECT_STR(vm_error("{\"name\": \"a\", \"memory\": \"1k\"}"),
               "'memory' is 1k, but must be a number from 1M to 512M");
    EXPECT_STR(vm_error("{\"name\": \"a\", \"mtu\": []}"),
               "'mtu' must be a number from 68 to 1900");
    EXPECT_STR(vm_error("{\"name\": \"a\", \"cpu\": -1}"),
               "'cpu' is -1, but must be a number from 1 to 102400");
    EXPECT_STR(vm_error("{\"name\": \"a\", \"interfaces\": [1]}"),
               "'interfaces' must be a list of objects");
    EXPECT(strstr(vm_error("{\"name\": \"a\", \"interfaces\": [{\"mac\": \"ff:0\"}]}"),
                  "is no MAC address"));
    EXPECT_STR(vm_error("{\"name\": \"a\\u0000b\"}"), "'name' must not contain NUL");
}

TEST(a_vm_has_at_most_16_interfaces)
{
    struct sbuf s = SBUF_INIT;

    sbuf_puts(&s, "{\"name\": \"a\", \"interfaces\": [");
    for (int i = 0; i < 17; i++)
        sbuf_printf(&s, "%s{}", i ? "," : "");
    sbuf_puts(&s, "]}");
    EXPECT_STR(vm_error(sbuf_text(&s)), "a VM has at most 16 interfaces");
    sbuf_fini(&s);
}

TEST(a_configuration_travels_with_its_head)
{
    struct spec_config config;
    json_t *defines = json_pack("{s:s}", "PORT", "80");
    struct confhead_reader r;
    struct confhead_item item;
    size_t len;
    char *wire;

    EXPECT_EQ(spec_config_make(&config, "Idle;", 5, "fw.click", defines, &d), 0);
    wire = spec_config_wire(&config, &len, &d);
    confhead_open(&r, wire, len);
    EXPECT(confhead_next(&r, &item) && item.is_file);
    EXPECT(confhead_next(&r, &item));
    EXPECT_MEM(item.value, "80", 2);
    EXPECT(!confhead_next(&r, &item));
    EXPECT_EQ(r.end - r.at, 5);
    EXPECT_MEM(r.at, "Idle;", 5);
    free(wire);
    spec_config_fini(&config);
    json_decref(defines);
}

TEST(definitions_cannot_smuggle_lines_into_the_head)
{
    struct spec_config config;
    json_t *o = json_pack("{s:s}", "A", "1\n//!end\nEvil;");

    EXPECT_EQ(spec_config_make(&config, "", 0, NULL, o, &d), -1);
    json_decref(o);
    o = json_pack("{s:s}", "A B", "1");
    EXPECT_EQ(spec_config_make(&config, "", 0, NULL, o, &d), -1);
    json_decref(o);
    EXPECT_EQ(spec_config_make(&config, "", 0, "a\nb", NULL, &d), -1);
    EXPECT_EQ(spec_config_make(&config, "\xff", 1, NULL, NULL, &d), -1);
}

TEST(a_configuration_that_is_too_long_is_refused)
{
    size_t len = CONTROL_TEXT, wire_len;
    char *text = malloc(len + 1);
    struct spec_config config;

    memset(text, ' ', len);
    text[len] = '\0';
    EXPECT_EQ(spec_config_make(&config, text, len, NULL, NULL, &d), 0);
    EXPECT(spec_config_wire(&config, &wire_len, &d) == NULL);
    EXPECT_STR(d.messages[0].text, "the configuration is longer than 9 MiB");
    spec_config_fini(&config);
    free(text);
}

TEST(a_network_is_read)
{
    const char *text = "{\"name\": \"w\", \"mode\": \"wire\", \"age_s\": 9}";
    struct spec_net n;

    EXPECT_EQ(spec_net_read(&n, text, strlen(text), &d), 0);
    EXPECT_EQ(n.config.mode, NETWORK_WIRE);
    EXPECT_EQ(n.config.age_s, 9);
    spec_net_fini(&n);
    text = "{\"name\": \"w\", \"storm_pps\": \"10k\", \"max_addresses\": 5000}";
    EXPECT_EQ(spec_net_read(&n, text, strlen(text), &d), 0);
    EXPECT_EQ(n.config.storm_pps[STORM_ALL], 10000); /* as of a port */
    EXPECT_EQ(n.config.max_addresses, 5000);
    spec_net_fini(&n);
    text = "{\"name\": \"w\", \"mode\": \"hub\"}";
    EXPECT_EQ(spec_net_read(&n, text, strlen(text), &d), -1);
}

TEST(ports_take_numbers_and_strings_alike)
{
    const char *text =
        "{\"name\": \"g\", \"kind\": \"gen\", \"network\": \"n\", \"rate\": \"1.5M\","
        "\"count\": \"10\", \"size\": \"64,1500\", \"imix\": \"true\","
        "\"dst_mac\": \"02:00:00:00:00:01\", \"src_ip\": \"10.1.2.3\"}";
    struct spec_port p;

    EXPECT_EQ(spec_port_read(&p, text, strlen(text), &d), 0);
    EXPECT(p.config.generator.rate_pps == 1500000);
    EXPECT_EQ(p.config.generator.count, 10);
    EXPECT_EQ(p.config.generator.n_sizes, 2);
    EXPECT_EQ(p.config.generator.sizes[1], 1500);
    EXPECT(p.config.generator.imix);
    EXPECT_EQ(p.config.generator.dst_mac[5], 1);
    EXPECT_EQ(p.config.generator.src_ip, 0x0a010203);
    spec_port_fini(&p);
}

TEST(a_tap_has_its_own_keys)
{
    const char *text = "{\"name\": \"t\", \"kind\": \"tap\", \"netns\": \"ns\","
                       "\"ifname\": \"eth0\", \"mac\": \"02:00:00:00:00:07\"}";
    struct spec_port p;

    EXPECT_EQ(spec_port_read(&p, text, strlen(text), &d), 0);
    EXPECT_STR(p.config.tap.ifname, "eth0");
    EXPECT_STR(p.config.tap.netns, "ns");
    EXPECT_EQ(p.config.tap.mac[5], 7);
    EXPECT(p.network == NULL);
    spec_port_fini(&p);
}

TEST(a_wrong_port_is_refused_with_a_line_that_helps)
{
    EXPECT(strstr(port_error("{\"name\": \"t\"}"), "a port needs a 'kind'"));
    EXPECT(strstr(port_error("{\"name\": \"t\", \"kind\": \"tab\"}"),
                  "did you mean 'tap'?"));
    EXPECT(strstr(port_error("{\"name\": \"a.0\", \"kind\": \"tap\"}"),
                  "is no port name"));
    EXPECT_STR(port_error("{\"name\": \"t\", \"kind\": \"tap\", \"ifnam\": \"x\"}"),
               "a port of this kind has no key 'ifnam': did you mean 'ifname'?");
    EXPECT_STR(port_error("{\"name\": \"t\", \"kind\": \"pcap-in\"}"),
               "port 't' needs file=PATH");
    EXPECT(strstr(port_error("{\"name\": \"t\", \"kind\": \"gen\", \"size\": \"63\"}"),
                  "sizes from 64"));
    EXPECT(strstr(port_error("{\"name\": \"t\", \"kind\": \"gen\", \"rate\": \"x\"}"),
                  "must be a rate"));
    EXPECT(strstr(port_error("{\"name\": \"t\", \"kind\": \"gen\", \"stream\": 65536}"),
                  "must be from 0 to 65535"));
}

TEST(a_port_has_settings_whatever_its_kind)
{
    const char *text =
        "{\"name\": \"s\", \"kind\": \"sink\", \"pps\": \"10k\", \"in_pps\": 5,"
        "\"out_burst\": \"2k\", \"allow_mac\": [\"02:00:00:00:00:01\"],"
        "\"allow_ip\": \"10.0.0.1,fd00::1\", \"static_mac\": \"02:00:00:00:00:02\"}";
    const struct port_settings *s;
    struct spec_port p;

    EXPECT_EQ(spec_port_read(&p, text, strlen(text), &d), 0);
    s = &p.config.settings;
    EXPECT_EQ(s->in.pps, 5);
    EXPECT_EQ(s->out.pps, 10000);
    EXPECT_EQ(s->out.burst_packets, 2000);
    EXPECT_EQ(s->allow.n_macs, 1);
    EXPECT_EQ(s->allow.ip4[0], 0x0a000001);
    EXPECT_EQ(s->allow.ip6[0][15], 1);
    EXPECT(s->allow.other_family_refused);
    EXPECT_EQ(p.set.static_macs[0][5], 2);
    spec_port_fini(&p);
}

TEST(allowed_sources_may_be_prefixes)
{
    const char *text = "{\"name\": \"s\", \"kind\": \"sink\", \"allow_ip\": "
                       "\"10.1.0.0/16,10.0.0.1/32,0.0.0.0/0,2001:db8::/61,::/0\"}";
    const struct port_allow *a;
    struct spec_port p;
    json_t *o;

    EXPECT_EQ(spec_port_read(&p, text, strlen(text), &d), 0);
    a = &p.config.settings.allow;
    EXPECT_EQ(a->n_ip4, 3);
    EXPECT_EQ(a->ip4[0], 0x0a010000);
    EXPECT_EQ(a->ip4_free[0], 16);
    EXPECT_EQ(a->ip4_free[1], 0);
    EXPECT_EQ(a->ip4_free[2], 32);
    EXPECT_EQ(a->n_ip6, 2);
    EXPECT_EQ(a->ip6_free[0], 67);
    EXPECT_EQ(a->ip6_free[1], 128);
    o = portset_describe(&p.set);
    EXPECT_STR(json_string_value(json_array_get(json_object_get(o, "allow_ip"), 0)),
               "10.1.0.0/16");
    EXPECT_STR(json_string_value(json_array_get(json_object_get(o, "allow_ip"), 1)),
               "10.0.0.1");
    EXPECT_STR(json_string_value(json_array_get(json_object_get(o, "allow_ip"), 3)),
               "2001:db8::/61");
    json_decref(o);
    spec_port_fini(&p);
}

TEST(prefixes_that_make_no_sense_are_refused)
{
    static const char *const bad[] = {"10.0.0.0/33", "10.0.0.0/",   "10.0.0.0/x",
                                      "10.0.0.0/-1", "::/129",      "/8",
                                      "10.0.0/8",    "10.0.0.0/8/", "10.0.0.0/ 8"};
    char text[128];

    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(text, sizeof text,
                 "{\"name\": \"s\", \"kind\": \"sink\", \"allow_ip\": \"%s\"}", bad[i]);
        EXPECT(strstr(port_error(text), "is no IPv4 or IPv6 address or prefix"));
    }
    EXPECT_STR(
        port_error(
            "{\"name\": \"s\", \"kind\": \"sink\", \"allow_ip\": \"10.0.0.7/24\"}"),
        "'allow_ip': '10.0.0.7/24' has bits behind its prefix");
}

TEST(settings_that_make_no_sense_are_refused)
{
    EXPECT_STR(port_error("{\"name\": \"s\", \"kind\": \"sink\", \"bps\": \"1x\"}"),
               "'bps' must be a rate, as 1000 or 1.5M");
    EXPECT_STR(port_error("{\"name\": \"s\", \"kind\": \"sink\", \"in_burst\": 1.5}"),
               "'in_burst' must be a number, as 1000 or 10k");
    EXPECT(strstr(port_error("{\"name\": \"s\", \"kind\": \"sink\", \"allow_ip\": 7}"),
                  "must be a list of addresses"));
    EXPECT(
        strstr(port_error("{\"name\": \"s\", \"kind\": \"sink\", \"allow_mac\": [7]}"),
               "must be a list of addresses"));
    EXPECT(strstr(
        port_error("{\"name\": \"s\", \"kind\": \"sink\", \"allow_mac\": \"own\"}"),
        "'own' is for interfaces of VMs"));
    EXPECT(strstr(vm_error("{\"name\": \"v\", \"interfaces\": [{\"alow_ip\": \"\"}]}"),
                  "did you mean 'allow_ip'"));
    EXPECT(
        strstr(vm_error("{\"name\": \"v\", \"interfaces\": [{\"allow_ip\": \"x\"}]}"),
               "'x' is no IPv4 or IPv6 address"));
}

TEST(a_limit_either_way_takes_the_place_of_those_of_one_way)
{
    json_t *had = json_pack("{s:i, s:i, s:s}", "in_pps", 5, "out_bps", 7, "allow_ip",
                            "10.0.0.1");
    json_t *change = json_pack("{s:i, s:n}", "pps", 9, "allow_ip");
    json_t *now = portset_merge(had, change, &d);

    EXPECT_EQ(json_object_size(now), 2);
    EXPECT_EQ(json_integer_value(json_object_get(now, "pps")), 9);
    EXPECT_EQ(json_integer_value(json_object_get(now, "out_bps")), 7);
    json_decref(now);
    json_object_set_new(change, "mtu", json_integer(1));
    EXPECT(portset_merge(had, change, &d) == NULL);
    EXPECT_EQ(d.n_errors, 1);
    json_decref(change);
    json_decref(had);
}
