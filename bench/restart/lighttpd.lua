-- The answer to any request, once its body is there.
local r = lighty.r
if not r.req_body.collect then
  return 0
end
r.resp_header["X-Generation"] = "@GENERATION@"
r.resp_header["Content-Type"] = "text/plain"
r.resp_body.set("test 22222")
return 200
