-- SPDX-License-Identifier: MIT
--
-- For wrk: each answer is looked at, and the first one of each generation is told on a line of its own.

local seen = {}

function response(status, headers, body)
        local generation = headers["X-Generation"]
        if status ~= 200 or body ~= "test 22222" or not generation then
                print("wrong " .. status .. " " .. body)
        elseif not seen[generation] then
                seen[generation] = true
                print("generation " .. generation)
        end
        io.flush()
end
