module kvorum.dev/bench/resp-load

go 1.26.0
