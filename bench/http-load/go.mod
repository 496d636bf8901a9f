module kvorum.dev/bench/http-load

go 1.26.0
