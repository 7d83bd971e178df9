/* SPDX-License-Identifier: MIT */
#include "protocols.h"

#include <linux/if_ether.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>

struct word {
        unsigned int number;
        const char *name;
};

/* Each ends with a word without a name. */
static const struct word types[] = {
        {SOCK_STREAM, "STREAM"},
        {SOCK_DGRAM, "DGRAM"},
        {SOCK_RAW, "RAW"},
        {SOCK_RDM, "RDM"},
        {SOCK_DCCP, "DCCP"},
        {SOCK_PACKET, "PACKET"},
        {SOCK_SEQPACKET, "SEQPACKET"},
        {0, NULL},
};

static const struct word netlinks[] = {
        {NETLINK_ROUTE, "ROUTE"},
        {NETLINK_UNUSED, "UNUSED"},
        {NETLINK_USERSOCK, "USERSOCK"},
        {NETLINK_FIREWALL, "FIREWALL"},
        {NETLINK_INET_DIAG, "INET_DIAG"},
        {NETLINK_NFLOG, "NFLOG"},
        {NETLINK_XFRM, "XFRM"},
        {NETLINK_SELINUX, "SELINUX"},
        {NETLINK_ISCSI, "ISCSI"},
        {NETLINK_AUDIT, "AUDIT"},
        {NETLINK_FIB_LOOKUP, "FIB_LOOKUP"},
        {NETLINK_CONNECTOR, "CONNECTOR"},
        {NETLINK_NETFILTER, "NETFILTER"},
        {NETLINK_IP6_FW, "IP6_FW"},
        {NETLINK_DNRTMSG, "DNRTMSG"},
        {NETLINK_KOBJECT_UEVENT, "KOBJECT_UEVENT"},
        {NETLINK_GENERIC, "GENERIC"},
        {NETLINK_SCSITRANSPORT, "SCSITRANSPORT"},
        {NETLINK_ECRYPTFS, "ECRYPTFS"},
        {NETLINK_RDMA, "RDMA"},
        {NETLINK_CRYPTO, "CRYPTO"},
        {NETLINK_SMC, "SMC"},
        {0, NULL},
};

static const struct word packets[] = {
        {ETH_P_LOOP, "LOOP"},       {ETH_P_PUP, "PUP"},          {ETH_P_PUPAT, "PUPAT"},
        {ETH_P_IP, "IP"},           {ETH_P_X25, "X25"},          {ETH_P_ARP, "ARP"},
        {ETH_P_BPQ, "BPQ"},         {ETH_P_IEEEPUP, "I3EPUP"},   {ETH_P_IEEEPUPAT, "I3EPUPA"},
        {ETH_P_DEC, "DEC"},         {ETH_P_DNA_DL, "DNA_DL"},    {ETH_P_DNA_RC, "DNA_RC"},
        {ETH_P_DNA_RT, "DNA_RT"},   {ETH_P_LAT, "LAT"},          {ETH_P_DIAG, "DIAG"},
        {ETH_P_CUST, "CUST"},       {ETH_P_SCA, "SCA"},          {ETH_P_RARP, "RARP"},
        {ETH_P_ATALK, "ATALK"},     {ETH_P_AARP, "AARP"},        {ETH_P_8021Q, "8021Q"},
        {ETH_P_IPX, "IPX"},         {ETH_P_IPV6, "IPV6"},        {ETH_P_SLOW, "SLOW"},
        {ETH_P_WCCP, "WCCP"},       {ETH_P_PPP_DISC, "PPP_DIS"}, {ETH_P_PPP_SES, "PPP_SES"},
        {ETH_P_MPLS_UC, "MPLS_UC"}, {ETH_P_ATMMPOA, "ATMMPOA"},  {ETH_P_MPLS_MC, "MPLS_MC"},
        {ETH_P_ATMFATE, "ATMFATE"}, {ETH_P_AOE, "AOE"},          {ETH_P_TIPC, "TIPC"},
        {ETH_P_802_3, "802.3"},     {ETH_P_AX25, "AX25"},        {ETH_P_ALL, "ALL"},
        {ETH_P_802_2, "802.2"},     {ETH_P_SNAP, "SNAP"},        {ETH_P_DDCMP, "DDCMP"},
        {ETH_P_WAN_PPP, "WAN_PPP"}, {ETH_P_PPP_MP, "PPP MP"},    {ETH_P_LOCALTALK, "LCLTALK"},
        {ETH_P_PPPTALK, "PPPTALK"}, {ETH_P_TR_802_2, "802.2"},   {ETH_P_MOBITEX, "MOBITEX"},
        {ETH_P_CONTROL, "CONTROL"}, {ETH_P_IRDA, "IRDA"},        {ETH_P_ECONET, "ECONET"},
        {ETH_P_HDLC, "HDLC"},       {ETH_P_ARCNET, "ARCNET"},    {0, NULL},
};

static const char *find(const struct word *words, unsigned int number)
{
        for (; words->name; words++)
                if (words->number == number)
                        return words->name;
        return NULL;
}

bool lsof_is_socket_type(unsigned int type)
{
        return find(types, type) != NULL;
}

const char *lsof_socket_type_name(unsigned int type)
{
        const char *name = find(types, type);

        return name ? name : "unknown";
}

const char *lsof_netlink_name(unsigned int protocol)
{
        return find(netlinks, protocol);
}

void lsof_packet_name(unsigned int protocol, char name[LSOF_PROTOCOL_MAX])
{
        const char *known = find(packets, protocol);

        if (known)
                snprintf(name, LSOF_PROTOCOL_MAX, "%s", known);
        else
                snprintf(name, LSOF_PROTOCOL_MAX, "%u", protocol);
}
