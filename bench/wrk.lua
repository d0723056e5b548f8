-- The request with which wrk measures the stub's ceiling: the same in kind and size as the clients'.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer stub"
wrk.body = '{"model":"stub","messages":[{"role":"user","content":"[row 42] My name is Ann, I am 62 years old and I work as a software engineer"}],"response_format":{"type":"json_schema","json_schema":{"name":"Person","strict":true,"schema":{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"},"occupation":{"type":"string"}},"required":["name","age","occupation"],"additionalProperties":false}}}}'
