/* SPDX-License-Identifier: MIT */
#ifndef SOCKETS_H
#define SOCKETS_H

/*
 * Clients and foreign listeners for tests, made with plain system calls: nothing of the library is used
 * to check the library.
 */

#include <stdbool.h>
#include <stdint.h>

/* An integer option of a socket. */
int option_of(int fd, int level, int name);

/* The port that an internet socket is bound to. */
uint16_t port_of(int fd);

/* A client connected over TCP; @family and @literal fit each other. */
int connect_tcp(int family, const char *literal, uint16_t port);

/* Accept one connection and hear the client say a byte. Closes both ends of it. */
void serve_one(int listener, int client);

/* A socket bound to a path as most programs do it: the path stays when the socket is closed. */
int bind_unix(const char *path, int type);

/* Connect to a path without waiting. Returns the descriptor, or -1 with errno. */
int try_connect_unix(const char *path);

/* Does a connection to @path arrive at @listener? Those that came before it are passed over. */
bool reaches(const char *path, int listener);

#endif
