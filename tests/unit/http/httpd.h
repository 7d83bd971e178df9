/* SPDX-License-Identifier: MIT */
#ifndef HTTPD_H
#define HTTPD_H

/* What the files of httpd share. */

#include <hotstart/http.h>

#include <errno.h>
#include <pthread.h>

/* Wait for the word (POST /go). */
void httpd_wait(void);

/* A parameter of the query, 0 if it is not there. */
size_t httpd_number(const struct hot_http_request *request, const char *name);

/* Byte i of a body is 'A' + i % 23, as the demo's blob has it. */
void httpd_fill(char *buffer, size_t at, size_t n);

void httpd_set_up_sockets(struct hot_http *server);
void httpd_set_up_tunnels(struct hot_http *server);
void httpd_set_up_live(struct hot_http *server);
void httpd_set_up_bodies(struct hot_http *server);
void httpd_set_up_state(struct hot_http *server);

#endif
