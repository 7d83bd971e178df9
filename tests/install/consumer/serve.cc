// SPDX-License-Identifier: MIT
//
// As serve.c, in the C++ of somebody who wraps a handle before anything else.
#include <hotstart.h>

#include <iostream>
#include <memory>

int main()
{
        hot_options options{};
        options.size = sizeof(options);

        hot *raw = nullptr;
        const int opened = hot_open(&raw, &options);
        const std::unique_ptr<hot, decltype(&hot_free)> server(raw, &hot_free);
        if (opened < 0)
                return 1;

        char address[128];
        const int fd = hot_listen(raw, "main", "tcp://127.0.0.1:0");
        if (fd < 0 || hot_listener_address(fd, address, sizeof(address)) < 0)
                return 1;
        if (hot_ready(raw) < 0)
                return 1;
        const hot_event *event = hot_next(raw);
        if (!event || event->type != HOT_SERVE || hot_serving(raw) < 0)
                return 1;
        std::cout << "serving on " << address << ", generation " << hot_generation(raw) << '\n';
        return 0;
}
